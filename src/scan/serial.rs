//! A scan engine on a serial line, or on USB as one (CDC).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::termios::{ControlModes, OptionalActions, ioctl_tiocexcl, tcgetattr, tcsetattr};

use super::Engine;
use super::line::Line;

/// Bytes read at a time.
const PIECE: usize = 4096;

pub(super) struct Port(File);

impl Port {
    pub(super) fn open(path: &Path, baud: u32) -> std::io::Result<Self> {
        // Not as this program's terminal, and without waiting for a carrier that never comes.
        let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
        let port = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let mut mode = tcgetattr(&port)?;
        // Nobody else gets a part of what it says.
        ioctl_tiocexcl(&port)?;
        mode.make_raw();
        mode.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
        mode.set_speed(baud)?;
        tcsetattr(&port, OptionalActions::Flush, &mode)?;
        Ok(Self(port))
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Engine for Port {
    fn read(&mut self, line: &mut Line, whole: &mut dyn FnMut(String)) -> std::io::Result<()> {
        let mut piece = [0; PIECE];
        match self.0.read(&mut piece) {
            // The other end has hung up.
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                // Codes are ASCII. Other bytes stand for themselves: whatever they are, they are no code of ours.
                piece[..length].iter().filter_map(|byte| line.push(char::from(*byte))).for_each(whole);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
