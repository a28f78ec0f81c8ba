//! A filter that lets a child compute, talk through its pipes and end, and answers every other system call with EPERM.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Memory that is no code, pipes that are already open, time, random numbers (hash maps), signals (panics, aborts) and the end.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Installs the filter, for good. `false` where this kernel or what surrounds the process allows none.
pub(super) fn install() -> bool {
    program().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    // No decoder makes code as it runs, so no memory may become code: what takes over a decoder has to do with the code that is there.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let executable = libc::PROT_EXEC.unsigned_abs().into();
        let not_executable = when(PROTECTION, SeccompCmpOp::MaskedEq(executable), 0)?;
        rules.insert(call, vec![SeccompRule::new(vec![not_executable])?]);
    }
    // abort() signals the thread's own process. No other process may be signalled, and a child cannot end itself by a signal that
    // would look as if it had come from outside.
    let own = when(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    let abort = when(2, SeccompCmpOp::Eq, libc::SIGABRT.unsigned_abs().into())?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![own, abort])?]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, refused, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()
}

/// Where mmap and mprotect take what may be done with the memory.
const PROTECTION: u8 = 2;

fn when(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)
}

#[cfg(test)]
mod tests {
    use seccompiler::sock_filter;

    use super::*;

    const ALLOW: u32 = 0x7FFF_0000;
    const REFUSE: u32 = 0x0005_0000 | libc::EPERM.unsigned_abs();
    const KILL: u32 = 0x8000_0000;
    /// `AUDIT_ARCH_X86_64` or `AUDIT_ARCH_AARCH64`: <https://github.com/torvalds/linux/blob/master/include/uapi/linux/audit.h>
    const ARCH: u32 = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };

    /// What the kernel makes of a call: the four instructions that such a filter consists of, over `struct seccomp_data`.
    fn judged(program: &[sock_filter], arch: u32, call: i64, arguments: [u64; 6]) -> u32 {
        let mut data = u32::try_from(call).unwrap().to_le_bytes().to_vec();
        data.extend(arch.to_le_bytes());
        data.extend([0; 8]);
        data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
        let (mut at, mut accumulator) = (0, 0_u32);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { jt } else { jf });
            match code {
                0x20 => accumulator = u32::from_le_bytes(data[k as usize..][..4].try_into().unwrap()),
                0x54 => accumulator &= k,
                0x05 => at += k as usize,
                0x15 => at += jump(accumulator == k),
                0x06 => return k,
                other => panic!("an instruction that was not foreseen: {other:#x}"),
            }
        }
    }

    #[test]
    fn of_all_system_calls_those_on_the_list_are_let_through_and_no_other() {
        let program = program().unwrap();
        let conditional = [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_tgkill];
        for call in 0..1024 {
            let expected = if ALLOWED.contains(&call) { ALLOW } else { REFUSE };
            if !conditional.contains(&call) {
                assert_eq!(judged(&program, ARCH, call, [0; 6]), expected, "{call}");
            }
        }
        for call in [
            libc::SYS_socket,
            libc::SYS_connect,
            libc::SYS_sendto,
            libc::SYS_openat,
            libc::SYS_openat2,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_pidfd_getfd,
            libc::SYS_mount,
            libc::SYS_prctl,
            libc::SYS_seccomp,
            libc::SYS_ioctl,
            libc::SYS_fcntl,
            libc::SYS_dup,
            libc::SYS_io_uring_setup,
            libc::SYS_bpf,
            libc::SYS_memfd_create,
            libc::SYS_userfaultfd,
            libc::SYS_perf_event_open,
            libc::SYS_keyctl,
            libc::SYS_setrlimit,
            libc::SYS_prlimit64,
            libc::SYS_unlinkat,
            libc::SYS_shmget,
            libc::SYS_pkey_mprotect,
            libc::SYS_personality,
        ] {
            assert!(!ALLOWED.contains(&call), "{call}");
        }
    }

    #[test]
    fn memory_may_not_become_code() {
        let program = program().unwrap();
        let (read, write, execute) = (1, 2, 4);
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            for (protection, expected) in [
                (0, ALLOW),
                (read | write, ALLOW),
                (read | execute, REFUSE),
                (execute, REFUSE),
                (7, REFUSE),
                // The kernel looks at the lower half alone.
                ((1 << 32) | execute, REFUSE),
            ] {
                assert_eq!(
                    judged(&program, ARCH, call, [0, 4096, protection, 0, 0, 0]),
                    expected,
                    "{call} {protection}"
                );
            }
        }
    }

    #[test]
    fn only_an_abort_of_its_own_may_be_signalled() {
        let (program, own) = (program().unwrap(), u64::from(std::process::id()));
        for (process, signal, expected) in [(own, 6, ALLOW), (own, 9, REFUSE), (own + 1, 6, REFUSE), (0, 6, REFUSE)] {
            assert_eq!(judged(&program, ARCH, libc::SYS_tgkill, [process, own, signal, 0, 0, 0]), expected);
        }
    }

    #[test]
    fn a_call_by_another_architectures_numbers_is_the_end() {
        assert_eq!(judged(&program().unwrap(), 0x4000_0003, libc::SYS_read, [0; 6]), KILL);
    }
}
