use decider::who::unit;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_control_group_is_called_what_people_call_it() {
    for (cgroup, expected) in [
        ("/", None),
        ("", None),
        ("/system.slice/ssh.service", Some("ssh.service")),
        ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope")),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope", Some("app-firefox.scope")),
        ("/system.slice/postgresql@15-main.service/worker", Some("postgresql@15-main.service")),
        ("/build", Some("build")),
    ] {
        assert_eq!(unit(cgroup).as_deref(), expected, "{cgroup}");
    }
}

#[test]
fn a_container_is_called_by_its_engine_and_the_beginning_of_its_id() {
    for (cgroup, expected) in [
        (format!("/system.slice/docker-{ID}.scope"), "docker 0123456789ab"),
        (format!("/system.slice/docker-{ID}.scope/init.scope"), "docker 0123456789ab"),
        (format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"), "cri-containerd 0123456789ab"),
        (format!("/machine.slice/libpod-{ID}.scope/container"), "libpod 0123456789ab"),
        (format!("/docker/{ID}"), "container 0123456789ab"),
    ] {
        assert_eq!(unit(&cgroup).unwrap(), expected, "{cgroup}");
    }
    // Not an id: too short, or with other letters.
    assert_eq!(unit(&format!("/docker-{}.scope", &ID[1..])).unwrap(), format!("docker-{}.scope", &ID[1..]));
    assert_eq!(unit(&format!("/{}", ID.replace('a', "g"))).unwrap(), ID.replace('a', "g"));
}
