//! Where the screen is, and how to open it there.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use slint::ComponentHandle as _;

use super::ui::MainWindow;

/// Where the screen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A window on a desktop.
    Window,
    /// The bare screen of an appliance, without a compositor.
    LinuxKms,
    /// A PNG file, written anew each time a verdict, the return to ready, or the status changes what is shown.
    Picture(PathBuf),
    /// No screen.
    None,
}

/// The names a command line or a configuration file uses: `window`, `linuxkms`, `picture:FILE`, `none`.
impl FromStr for Backend {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        match name {
            "window" => Ok(Self::Window),
            "linuxkms" => Ok(Self::LinuxKms),
            "none" => Ok(Self::None),
            _ => match name.strip_prefix("picture:") {
                Some("") => bail!("picture: wants a file name, such as picture:screen.png"),
                Some(path) => Ok(Self::Picture(path.into())),
                None => bail!("no screen is called {name:?}; there are window, linuxkms, picture:FILE and none"),
            },
        }
    }
}

const INSTEAD: &str = "use --screen none, or --screen picture:FILE";

impl Backend {
    /// Opens the main window and shows it. The software renderer everywhere: what was looked at on a desktop is what
    /// the appliance draws.
    pub(super) fn open(&self, size: (u32, u32)) -> anyhow::Result<MainWindow> {
        let (name, built, what_next) = match self {
            Self::Window => {
                ("winit", cfg!(feature = "window"), format!("no display: set DISPLAY or WAYLAND_DISPLAY, or {INSTEAD}"))
            }
            Self::LinuxKms => (
                "linuxkms-noseat",
                cfg!(feature = "linuxkms"),
                format!(
                    "cannot take the bare screen: it must be free of a desktop, and this user in the groups video, \
                     render and input; else {INSTEAD}"
                ),
            ),
            Self::Picture(_) | Self::None => bail!("there is no window to open"),
        };
        if !built {
            let feature = if *self == Self::Window { "window" } else { "linuxkms" };
            bail!("this build has no such screen (it was made without the cargo feature {feature:?}): {INSTEAD}");
        }
        slint::BackendSelector::new()
            .backend_name(name.into())
            .renderer_name("software".into())
            .select()
            .with_context(|| what_next.clone())?;
        let window = MainWindow::new().with_context(|| what_next.clone())?;
        if *self == Self::Window {
            let (width, height) = size;
            window.window().set_size(slint::PhysicalSize::new(width, height));
        }
        window.show().with_context(|| what_next)?;
        Ok(window)
    }
}
