use std::path::Path;

use crate::model::Who;
use crate::who::unit;

/// Who it was, in a few words: the program, its process, its user, its service or container. None if nothing is known.
#[must_use]
pub fn who(who: &Who) -> Option<String> {
    let program = who.exe.as_deref().map(Path::new);
    let program = program.map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
    let process = match (program, who.pid) {
        (Some(program), Some(pid)) => Some(format!("{program}[{pid}]")),
        (Some(program), None) => Some(program.into_owned()),
        (None, pid) => pid.map(|pid| format!("process {pid}")),
    };
    let parts = [process, who.uid.map(|uid| format!("uid {uid}")), who.cgroup.as_deref().and_then(unit)];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said() {
        assert_eq!(who(&Who::default()), None);
        assert_eq!(who(&Who { uid: Some(0), ..Who::default() }).unwrap(), "uid 0");
        let (exe, cgroup) = (Some("/usr/bin/ssh".to_owned()), Some("/system.slice/backup.service".to_owned()));
        let known = Who { uid: Some(1000), pid: Some(77), exe, cgroup };
        assert_eq!(who(&known).unwrap(), "ssh[77], uid 1000, backup.service");
    }
}
