//! A screen without a screen: the same pages drawn into memory, and from there into a PNG file.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use image::RgbImage;
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{Platform, PlatformError, WindowAdapter};
use slint::{ComponentHandle as _, PhysicalSize, Rgb8Pixel};

use super::ui::MainWindow;

/// The pages with a canvas in place of a screen.
pub(super) struct Stage {
    window: MainWindow,
    canvas: Rc<MinimalSoftwareWindow>,
}

impl Stage {
    pub(super) fn new((width, height): (u32, u32)) -> anyhow::Result<Self> {
        const SANE: std::ops::RangeInclusive<u32> = 16..=8192;
        if !(SANE.contains(&width) && SANE.contains(&height)) {
            bail!("a picture of {width}x{height} cannot be drawn; each side may be 16 to 8192");
        }
        // The platform belongs to the thread and stays; the second stage on a thread finds it there.
        if CANVAS.with_borrow(Option::is_none) {
            slint::platform::set_platform(Box::new(Headless)).context("this thread has a screen already")?;
        }
        let canvas = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
        CANVAS.set(Some(Rc::clone(&canvas)));
        let window = MainWindow::new().context("cannot make the screen's page")?;
        canvas.set_size(PhysicalSize::new(width, height));
        window.show().context("cannot show the screen's page")?;
        Ok(Self { window, canvas })
    }

    pub(super) fn window(&self) -> &MainWindow {
        &self.window
    }

    /// Whether something has changed since it was drawn.
    #[cfg(test)]
    pub(super) fn is_stale(&self) -> bool {
        self.canvas.draw_if_needed(|_| {})
    }

    /// All of what is shown now.
    pub(super) fn render(&self) -> RgbImage {
        let pixels = self.draw();
        let PhysicalSize { width, height, .. } = self.canvas.size();
        RgbImage::from_fn(width, height, |x, y| {
            let pixel = pixels[y as usize * width as usize + x as usize];
            image::Rgb([pixel.r, pixel.g, pixel.b])
        })
    }

    /// Row after row.
    pub(super) fn draw(&self) -> Vec<Rgb8Pixel> {
        slint::platform::update_timers_and_animations();
        let PhysicalSize { width, height, .. } = self.canvas.size();
        // No width fits usize worse than u32 on any machine with a screen.
        let (stride, rows) = (width as usize, height as usize);
        let mut pixels = vec![Rgb8Pixel::default(); stride * rows];
        self.canvas.request_redraw();
        self.canvas.draw_if_needed(|renderer| {
            renderer.render(&mut pixels, stride);
        });
        pixels
    }
}

/// Replaces the file whole: whoever watches it never reads half a picture.
pub(super) fn write(path: &Path, picture: &RgbImage) -> anyhow::Result<()> {
    let name = path.file_name().with_context(|| format!("{} names no file to draw into", path.display()))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(part);
    picture
        .save_with_format(&part, image::ImageFormat::Png)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(fs::rename(&part, path)?))
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .with_context(|| format!("cannot write the screen's picture to {}", path.display()))
}

thread_local! {
    /// Handed to the next page that asks for a window.
    static CANVAS: RefCell<Option<Rc<MinimalSoftwareWindow>>> = const { RefCell::new(None) };
}

/// Without an event loop: [`super::run`] serves the page itself.
struct Headless;

impl Platform for Headless {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let canvas = CANVAS.with_borrow(Clone::clone).ok_or("there is no canvas")?;
        Ok(canvas)
    }

    /// The timers' clock, which a test may move on.
    #[cfg(test)]
    fn duration_since_start(&self) -> std::time::Duration {
        super::tests::clock()
    }
}
