//! What a child that was taken over would try.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::Command;

use memmap2::MmapMut;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// How a bad child is asked to look for a descriptor that its parent leaked: this and its number.
pub(crate) const LEAKED: &str = "leaked-";

/// What is to be known before the walls are up.
pub(crate) struct Before {
    parent: Pid,
    mapped: MmapMut,
    leaked: Option<i32>,
}

impl Before {
    /// Looks around, and says what is there.
    pub(crate) fn enter(how: &str) -> Self {
        let leaked = how.strip_prefix(LEAKED).map(|number| number.parse().unwrap());
        if let Some(number) = leaked {
            let inherited = PathBuf::from(format!("/proc/self/fd/{number}")).symlink_metadata().is_ok();
            let (environment, folder) = (std::env::vars_os().count(), std::env::current_dir().unwrap());
            eprintln!("inherited={inherited} environment={environment} folder={}", folder.display());
        }
        let parent = Pid::from_raw(std::os::unix::process::parent_id().cast_signed());
        Self { parent, mapped: MmapMut::map_anon(4096).unwrap(), leaked }
    }

    /// Whether the descriptor that its parent leaked is still open.
    pub(crate) fn look(self, how: &str) {
        let Some(leaked) = self.leaked else { return eprintln!("unknown: {how}") };
        eprintln!("leaked={}", nix::unistd::close(leaked) != Err(Errno::EBADF));
    }

    /// Tries everything, and says what came of it: `refused=` what was not permitted, `failed=` what the kernel would have done if it could,
    /// and `worked=` what it did.
    pub(crate) fn escape(self) {
        let mut told = ["", "", ""].map(str::to_owned);
        for (name, result) in self.attempts() {
            let place = match result {
                Err(error) if error.raw_os_error() == Some(libc::EPERM) => 0,
                Err(_) => 1,
                Ok(()) => 2,
            };
            told[place] = format!("{}{name},", told[place]);
        }
        let [refused, failed, worked] = told;
        eprintln!("refused={refused} failed={failed} worked={worked}");
    }

    fn attempts(self) -> Vec<(&'static str, io::Result<()>)> {
        let nowhere = "/nowhere/at/all";
        let folder = format!("/tmp/vestibule-escape-{}", std::process::id());
        vec![
            ("open", File::open("/etc/passwd").map(drop)),
            ("create", File::create(format!("{folder}.file")).map(drop)),
            ("mkdir", std::fs::create_dir(&folder)),
            ("remove", std::fs::remove_dir(&folder)),
            ("stat", std::fs::metadata("/etc/passwd").map(drop)),
            ("cwd", std::env::current_dir().map(drop)),
            ("udp", UdpSocket::bind("127.0.0.1:0").map(drop)),
            ("tcp-listen", TcpListener::bind("127.0.0.1:0").map(drop)),
            ("tcp-connect", TcpStream::connect("127.0.0.1:9").map(drop)),
            ("unix-pair", UnixStream::pair().map(drop)),
            ("unix", UnixDatagram::unbound().map(drop)),
            ("process", Command::new("/bin/true").status().map(drop)),
            ("thread", std::thread::Builder::new().spawn(|| ()).map(drop)),
            ("kill-parent", kill(self.parent, None).map_err(io::Error::from)),
            ("signal-itself", raise(Signal::SIGCONT).map_err(io::Error::from)),
            ("ptrace", ptrace::attach(self.parent).map_err(io::Error::from)),
            (
                "mount",
                mount(Some("none"), nowhere, Some("tmpfs"), MsFlags::empty(), None::<&str>).map_err(io::Error::from),
            ),
            ("namespace", unshare(CloneFlags::CLONE_NEWUSER).map_err(io::Error::from)),
            ("memfd", memfd_create("escape", MFdFlags::empty()).map(drop).map_err(io::Error::from)),
            ("dup", rustix::io::dup(io::stdin()).map(drop).map_err(io::Error::from)),
            ("fcntl", rustix::io::fcntl_getfd(io::stdin()).map(drop).map_err(io::Error::from)),
            ("ioctl", rustix::io::ioctl_fionread(io::stdin()).map(drop).map_err(io::Error::from)),
            ("limits", raise_the_limit()),
            ("prctl", set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(io::Error::from)),
            ("execute-memory", self.mapped.make_exec().map(drop)),
            ("reuse-a-pipe", reuse_a_pipe()),
        ]
    }
}

fn raise_the_limit() -> io::Result<()> {
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) })?)
}

/// Closes a pipe, to open something else in its place: a limit on how many are open would allow it.
fn reuse_a_pipe() -> io::Result<()> {
    nix::unistd::close(0)?;
    File::open("/etc/passwd").map(drop)
}
