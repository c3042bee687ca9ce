//! SVG to PNG and PDF, with the font of the crate.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use dhtlab_format::Error;
use dhtlab_format::figure::MOST_DOTS;

/// DejaVu Sans; its licence is beside it.
static FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// The dots per inch of a PNG, for dense screens and print.
const DPI: f64 = 192.0;
/// The pixels of an SVG per inch.
const PIXELS: f64 = 96.0;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

/// An SVG document that other formats are made of.
pub struct Document<'a> {
    tree: Tree,
    /// Its file, for messages.
    path: &'a Path,
}

impl<'a> Document<'a> {
    /// Reads an SVG document; `path` is its file, for messages.
    ///
    /// # Errors
    /// [`Error::Render`] when the document is malformed.
    pub fn new(svg: &str, path: &'a Path) -> Result<Self, Error> {
        let options = Options {
            font_family: FAMILY.to_owned(),
            fontdb: Arc::clone(&FONTS),
            ..Options::default()
        };
        match Tree::from_str(svg, &options) {
            Ok(tree) => Ok(Self { tree, path }),
            Err(error) => Err(failed(path, error.to_string())),
        }
    }

    /// The document as PNG with this number of dots per inch.
    ///
    /// # Errors
    /// [`Error::Render`] when it is too large for memory.
    pub fn png(&self, dpi: Option<f64>) -> Result<Vec<u8>, Error> {
        let scale = (dpi.unwrap_or(DPI) / PIXELS) as f32;
        let failed = |message: &str| failed(self.path, message);
        let size = self.tree.size().to_int_size().scale_by(scale);
        let size = size.ok_or_else(|| failed("the figure has no size"))?;
        if size.width().max(size.height()) > MOST_DOTS {
            return Err(failed(&format!(
                "{} x {} dots are more than {MOST_DOTS} along a side; lower `dpi`, `width` or `font-size`",
                size.width(),
                size.height()
            )));
        }
        let mut pixmap = Pixmap::new(size.width(), size.height())
            .ok_or_else(|| failed("the figure is too large"))?;
        let scaled = Transform::from_scale(scale, scale);
        resvg::render(&self.tree, scaled, &mut pixmap.as_mut());
        pixmap
            .encode_png()
            .map_err(|error| failed(&error.to_string()))
    }

    /// The document as a page of PDF of its size, with its texts as text. The same document gives the
    /// same bytes.
    ///
    /// # Errors
    /// [`Error::Render`] when the writer refuses it.
    #[cfg(feature = "pdf")]
    pub fn pdf(&self) -> Result<Vec<u8>, Error> {
        use krilla::geom::Size;
        use krilla::page::PageSettings;
        use krilla_svg::{SurfaceExt, SvgSettings};

        let (width, height) = (self.tree.size().width(), self.tree.size().height());
        // A page has points of 1/72 inch.
        let points = |pixels: f32| pixels * (72.0 / PIXELS) as f32;
        let size = Size::from_wh(points(width), points(height))
            .ok_or_else(|| failed(self.path, "the figure has no size"))?;
        let mut document = krilla::Document::new();
        let mut page = document.start_page_with(PageSettings::new(size));
        let mut surface = page.surface();
        let drawn = surface.draw_svg(&self.tree, size, SvgSettings::default());
        surface.finish();
        page.finish();
        drawn.ok_or_else(|| failed(self.path, "a part of the figure cannot be drawn"))?;
        document
            .finish()
            .map_err(|error| failed(self.path, format!("{error:?}")))
    }
}

fn failed(path: &Path, message: impl Into<String>) -> Error {
    Error::Render {
        path: path.to_owned(),
        message: message.into(),
    }
}
