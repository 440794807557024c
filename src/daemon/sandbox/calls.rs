use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// No part of decider, nft or Envoy makes these, and each is a way to more rights, into another process, or into the depths
/// of the kernel. What is not here is let through: a library that makes another call tomorrow goes on working, and no
/// refusal can come between a packet and its verdict.
const REFUSED: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Other namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    // Files past their names.
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Code in the kernel.
    libc::SYS_bpf,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    // Wide and young parts of the kernel.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// New namespaces by way of a new process.
const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The families of sockets that are left.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// On x86-64, the bit by which the kernel may take a call in the convention of x32, which has the same numbers.
const X32: i64 = 0x4000_0000;

/// Gives the calls up, in all threads of the process and for all programs that it starts from now on.
///
/// # Errors
/// If the kernel has no filters, or refuses this one.
pub fn give_up() -> Result<(), seccompiler::Error> {
    for program in programs()? {
        seccompiler::apply_filter_all_threads(&program)?;
    }
    Ok(())
}

/// The filters; each has one answer.
fn programs() -> Result<[BpfProgram; 2], BackendError> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for &call in REFUSED {
        refused.insert(call, vec![]);
        if cfg!(target_arch = "x86_64") {
            refused.insert(call | X32, vec![]);
        }
    }
    refused.insert(libc::SYS_clone, new_namespaces()?);
    refused.insert(libc::SYS_socket, vec![other_families()?]);
    // Its flags are in memory, which a filter cannot read. Whoever hears that there is no such call uses `clone`.
    let unknown = BTreeMap::from([(libc::SYS_clone3, vec![])]);
    Ok([filter(refused, libc::EPERM)?, filter(unknown, libc::ENOSYS)?])
}

fn filter(calls: BTreeMap<i64, Vec<SeccompRule>>, errno: libc::c_int) -> Result<BpfProgram, BackendError> {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(calls, SeccompAction::Allow, answer, architecture)?.try_into()
}

fn new_namespaces() -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |&flag: &libc::c_int| {
        let flag = u64::from(flag.unsigned_abs());
        let has = SeccompCmpOp::MaskedEq(flag);
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, has, flag)?])
    };
    NEW_NAMESPACES.iter().map(rule).collect()
}

fn other_families() -> Result<SeccompRule, BackendError> {
    let is_not = |&family: &libc::c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()))
    };
    SeccompRule::new(FAMILIES.iter().map(is_not).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Makes each call, with arguments that mean nothing, and says what errno was.
    const CALLS: &str = r#"for (@ARGV) { $! = 0; syscall($_ + 0, -1, -1, -1, -1, -1, -1); print $! + 0, "\n" }"#;

    /// In a thread that has given them up, and so in a program that it starts.
    fn answers(calls: &[i64]) -> Vec<i32> {
        let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
        let restricted = std::thread::spawn(move || {
            for program in programs().unwrap() {
                seccompiler::apply_filter(&program).unwrap();
            }
            // Nothing is tried where nothing is refused.
            let refused = nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS);
            assert_eq!(refused, Err(nix::errno::Errno::EPERM));
            Command::new("perl").args(["-e", CALLS]).args(calls).output().unwrap()
        });
        let output = restricted.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    fn each_is_refused_and_a_program_that_is_started_cannot_make_it_either() {
        let calls: Vec<i64> = programs_of(REFUSED);
        for (call, answer) in calls.iter().zip(answers(&calls)) {
            assert_eq!(answer, libc::EPERM, "call {call}");
        }
        // One that nobody refuses, with arguments that mean nothing; new namespaces; a socket of another family.
        assert_eq!(answers(&[libc::SYS_close, libc::SYS_clone3]), [libc::EBADF, libc::ENOSYS]);
        assert_eq!(answers(&[libc::SYS_clone, libc::SYS_socket]), [libc::EPERM, libc::EPERM]);
    }

    fn programs_of(calls: &[libc::c_long]) -> Vec<i64> {
        let x32 = calls.iter().map(|call| call | X32).filter(|_| cfg!(target_arch = "x86_64"));
        calls.iter().copied().chain(x32).collect()
    }

    #[test]
    fn sockets_of_decider_can_still_be_had() {
        let made = std::thread::spawn(|| {
            for program in programs().unwrap() {
                seccompiler::apply_filter(&program).unwrap();
            }
            let sockets = [socket2::Domain::IPV4, socket2::Domain::IPV6, socket2::Domain::UNIX]
                .map(|domain| socket2::Socket::new(domain, socket2::Type::STREAM, None).is_ok());
            let netlink = netlink_sys::Socket::new(netlink_sys::protocols::NETLINK_NETFILTER).is_ok();
            let packet = socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, None);
            // Threads and programs can be started.
            let program = std::thread::spawn(|| Command::new("true").status().unwrap().success()).join().unwrap();
            (sockets, netlink, packet.unwrap_err().raw_os_error(), program)
        });
        assert_eq!(made.join().unwrap(), ([true; 3], true, Some(libc::EPERM), true));
    }
}
