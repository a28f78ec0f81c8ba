//! What a page costs to draw, added up before it is drawn: hayro bounds how deep a page nests, and neither time nor memory.
//!
//! The page is interpreted once for that, by a device that draws nothing. Nothing but unwinding ends an interpretation early, so a page that
//! costs too much unwinds, without a message, to where `document` waits for it.

use std::collections::HashSet;
use std::panic::resume_unwind;

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::hayro_syntax::page::Page;
use hayro::hayro_interpret::pattern::{Pattern, TilingPattern};
use hayro::hayro_interpret::util::x_y_advances;
use hayro::hayro_interpret::{
    BlendMode, CacheKey, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, SoftMask, StrokeProps, interpret_page,
};
use hayro::kurbo::{Affine, BezPath, PathSeg, Point, Rect, Shape};
use vestibule_domain::policy::InspectLimits;

use super::{images, shadings};

/// Most that a page may cost, in about nanoseconds of a processor of 2024. The costs below were measured on hostile pages, each of one kind,
/// and are rounded up; at 1280 pixels the slowest of seventy honest pages costs 0.2 s. Under it a page takes less than 1.2 GB as well.
const BUDGET: f64 = 6e9;

/// An element of a path, a glyph, a clip, whatever it looks like.
const ELEMENT: f64 = 150.0;
/// A pixel along an edge: it is cut into strips of four.
const EDGE: f64 = 45.0;
/// A pixel inside a shape.
const AREA: f64 = 0.25;
/// A group of its own.
const GROUP: f64 = 50_000.0;
/// A pixel of the page in a mask, which is drawn and kept.
const MASK: f64 = 15.0;
/// A pixel that an image or the cell of a pattern covers: it is resized and kept until all is drawn.
pub(super) const KEPT: f64 = 25.0;
/// The reduced error up to which curves are cut into straight pieces, as a factor of the square root of their length.
const PIECES: f64 = 60.0;

/// The payload of the unwinding: what there was too much of.
pub(super) struct Exhausted(pub(super) &'static str);

/// Interprets the page as it would be drawn by `to_pixels` on a picture of `size`, and comes back if that costs no more than a page may.
/// Otherwise it unwinds with [`Exhausted`].
pub(super) fn spend(
    page: &Page<'_>,
    to_pixels: Affine,
    size: (u16, u16),
    settings: &InterpreterSettings,
    limits: &InspectLimits,
) {
    let target = Rect::new(0.0, 0.0, size.0.into(), size.1.into());
    let mut context = Context::new(to_pixels, target, &InterpreterCache::new(), page.xref(), settings.clone());
    let mut device = Purse { left: BUDGET, target, masks: HashSet::new(), limits };
    interpret_page(page, &mut context, &mut device);
}

/// A device that only adds up.
struct Purse<'l> {
    left: f64,
    /// All that can be seen, in pixels.
    target: Rect,
    /// Masks that are drawn already and used again.
    masks: HashSet<u128>,
    limits: &'l InspectLimits,
}

impl Purse<'_> {
    /// Takes `cost`, which may be no number, out of what is left.
    fn pay(&mut self, cost: f64, what: &'static str) {
        self.left -= cost;
        if self.left > 0.0 {
            return;
        }
        // What is no number comes here too.
        stop(what)
    }

    /// A shape, filled.
    fn pay_path(&mut self, path: &BezPath, transform: Affine) {
        let area = transform.transform_rect_bbox(path.control_box()).intersect(self.target).area().max(0.0);
        let edges: f64 = path.segments().map(|segment| self.edge(&segment, transform)).sum();
        self.pay(area * AREA + edges, "what is drawn");
    }

    /// One side of a shape: what of it can be on the page, and the pieces that a curve is cut into wherever it is.
    fn edge(&self, segment: &PathSeg, transform: Affine) -> f64 {
        let points: &[Point] = match segment {
            PathSeg::Line(line) => &[line.p0, line.p1],
            PathSeg::Quad(curve) => &[curve.p0, curve.p1, curve.p2],
            PathSeg::Cubic(curve) => &[curve.p0, curve.p1, curve.p2, curve.p3],
        };
        let mut corners = points.iter().map(|point| transform * *point);
        let Some(mut last) = corners.next() else { return 0.0 };
        let mut length = 0.0;
        for corner in corners {
            length += last.distance(corner);
            last = corner;
        }
        let pieces = if points.len() > 2 { length.sqrt() * PIECES } else { 0.0 };
        // A curve can cross the page three times.
        ELEMENT + pieces + length.min(3.0 * (self.target.width() + self.target.height())) * EDGE
    }

    /// A shape, stroked: two edges with their joints, and each dash is one.
    fn pay_stroke(&mut self, path: &BezPath, transform: Affine, stroke: &StrokeProps) {
        let edges: f64 = path.segments().map(|segment| self.edge(&segment, transform)).sum();
        let period: f64 = stroke.dash_array.iter().map(|length| f64::from(length.abs())).sum();
        let dashes =
            if stroke.dash_array.is_empty() { 0.0 } else { path.perimeter(1.0) / period.max(f64::MIN_POSITIVE) };
        let dashes = dashes * stroke.dash_array.iter().map(|_| 1.0).sum::<f64>();
        let area = transform.transform_rect_bbox(path.control_box()).intersect(self.target).area().max(0.0);
        self.pay(3.0 * edges + area * AREA + dashes * 4.0 * ELEMENT, "lines");
    }

    fn pay_paint(&mut self, paint: &Paint<'_>, covered: Rect) {
        let Paint::Pattern(pattern) = paint else { return };
        let covered = covered.intersect(self.target);
        match &**pattern {
            Pattern::Shading(shading) => {
                let cost = shadings::cost(shading, covered);
                self.pay(cost, "shadings");
            }
            Pattern::Tiling(tiling) => self.pay_tiling(tiling, covered),
        }
    }

    /// A pattern: its cell is drawn as often as copies of it overlap, each time it is used.
    fn pay_tiling(&mut self, tiling: &TilingPattern<'_>, covered: Rect) {
        let area = tiling.matrix.inverse().transform_rect_bbox(covered);
        let (across, down) = x_y_advances(&tiling.matrix);
        let axis = |cell: f64, step: f32, visible: f64, scale: f64| {
            let step = f64::from(step.abs());
            let shown = visible.max(0.0).min(step);
            (((cell + shown) / step).ceil() + 1.0, shown * scale + 1.0)
        };
        let (columns, width) = axis(tiling.bbox.width(), tiling.x_step, area.width(), across.length());
        let (rows, height) = axis(tiling.bbox.height(), tiling.y_step, area.height(), down.length());
        self.pay(width * height * KEPT + GROUP, "patterns");
        let before = self.left;
        let masks = std::mem::take(&mut self.masks);
        let to_cell = Affine::scale_non_uniform(across.length(), down.length());
        tiling.interpret(self, to_cell, false);
        self.masks = masks;
        let copies = (columns * rows - 1.0).max(0.0);
        self.pay((before - self.left + ELEMENT) * copies, "patterns");
    }

    fn pay_mask(&mut self, mask: Option<&SoftMask<'_>>) {
        let Some(mask) = mask else { return };
        if self.masks.insert(mask.cache_key()) {
            self.pay(self.target.area() * MASK + GROUP, "masks");
            let masks = std::mem::take(&mut self.masks);
            mask.interpret(self);
            self.masks = masks;
        }
    }

    /// A glyph of an outline font costs by its size: four sides of its square stand for its outline.
    fn pay_outline(&mut self, to_pixels: Affine) {
        const UNITS: f64 = 1000.0;
        let (across, down) = x_y_advances(&to_pixels);
        let side = across.length().max(down.length()) * UNITS;
        let seen = side.min(self.target.width().max(self.target.height()));
        self.pay(2.0 * ELEMENT + side.sqrt() * PIECES + 4.0 * seen * EDGE + seen * seen * AREA, "glyphs");
    }
}

fn stop(what: &'static str) -> ! {
    resume_unwind(Box::new(Exhausted(what)))
}

impl<'a> Device<'a> for Purse<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, draw_mode: &DrawMode) {
        self.pay_mask(props.soft_mask.as_ref());
        let covered = props.transform.transform_rect_bbox(path.control_box());
        match draw_mode {
            DrawMode::Fill(_) => self.pay_path(path, props.transform),
            DrawMode::Stroke(stroke) => self.pay_stroke(path, props.transform, stroke),
            DrawMode::FillAndStroke(_, stroke) => {
                self.pay_path(path, props.transform);
                self.pay_stroke(path, props.transform, stroke);
            }
            DrawMode::Invisible => return,
        }
        self.pay_paint(&props.paint, covered);
    }

    fn push_clip_path(&mut self, clip_path: &ClipPath) {
        self.pay(ELEMENT, "clips");
        self.pay_path(&clip_path.path, Affine::IDENTITY);
    }

    fn push_transparency_group(&mut self, _: f32, mask: Option<SoftMask<'a>>, _: BlendMode) {
        self.pay(GROUP, "groups");
        self.pay_mask(mask.as_ref());
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        self.pay_mask(props.soft_mask.as_ref());
        for glyph in run.glyphs() {
            match &**glyph {
                Glyph::Outline(_) => self.pay_outline(props.transform * glyph.transform()),
                Glyph::Type3(drawn) => {
                    self.pay(ELEMENT, "glyphs");
                    drawn.interpret(self, props.transform, glyph.transform(), &props.paint);
                }
            }
        }
        self.pay_paint(&props.paint, self.target);
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.pay_mask(props.soft_mask.as_ref());
        let stream = match &image {
            Image::Stencil(stencil) => stencil.stream(),
            Image::Raster(raster) => raster.stream(),
        };
        let Some(pixels) = images::pixels(stream, self.limits) else { stop("an image of too many pixels") };
        let (across, down) = x_y_advances(&props.transform);
        // Images are made smaller before they are kept, and never larger.
        let kept = (across.length().min(1.0) * down.length().min(1.0)).min(1.0) * pixels.shown;
        self.pay(pixels.cost + kept * KEPT, "images");
        // What a stencil is filled with is only told together with its decoded pixels, of which any number will do.
        if let Image::Stencil(stencil) = &image {
            self.pay(pixels.cost, "images");
            stencil.with_stencil(|_, paint| self.pay_paint(paint, self.target), Some((1, 1)));
        }
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
