//! What a shading costs, which is sampled pixel by pixel.

use std::fmt::{self, Write};

use hayro::hayro_interpret::pattern::ShadingPattern;
use hayro::hayro_interpret::shading::{ShadingFunction, ShadingType, Triangle};
use hayro::kurbo::{Affine, Point, Rect};

use super::budget::KEPT;

/// Nanoseconds for a pixel of a mesh: each goes through a map.
const MESH: f64 = 300.0;
/// For a patch, of which some hundred triangles are made.
const PATCH: f64 = 200_000.0;
/// For a pixel of any other.
const SAMPLE: f64 = 300.0;
/// For an operator of a function in PostScript, at each pixel.
const OPERATOR: f64 = 20.0;

/// Nanoseconds for painting `covered` pixels with a shading.
pub(super) fn cost(pattern: &ShadingPattern, covered: Rect) -> f64 {
    let area = covered.area().max(0.0);
    let mesh = |corners: &[Point]| pixels(corners, pattern.matrix) * MESH;
    let patches = |corners: &mut dyn Iterator<Item = f64>| corners.map(|patch| patch + PATCH).sum::<f64>();
    let (own, function) = match &*pattern.shading.shading_type {
        ShadingType::FunctionBased { function, .. } | ShadingType::RadialAxial { function, .. } => {
            (0.0, Some(function))
        }
        ShadingType::TriangleMesh { triangles, function } => {
            let corners = |triangle: &Triangle| [triangle.p0.point, triangle.p1.point, triangle.p2.point];
            (triangles.iter().map(|triangle| mesh(&corners(triangle)) + SAMPLE).sum(), function.as_ref())
        }
        ShadingType::CoonsPatchMesh { patches: all, function } => {
            (patches(&mut all.iter().map(|patch| mesh(&patch.control_points))), function.as_ref())
        }
        ShadingType::TensorProductPatchMesh { patches: all, function } => {
            (patches(&mut all.iter().map(|patch| mesh(&patch.control_points))), function.as_ref())
        }
        ShadingType::Dummy => (0.0, None),
    };
    own + area * (SAMPLE + KEPT + function.map_or(0.0, operators) * OPERATOR)
}

/// The pixels around a patch, also where nothing is seen of them.
fn pixels(corners: &[Point], to_pixels: Affine) -> f64 {
    let mut corners = corners.iter().map(|corner| to_pixels * *corner);
    let Some(first) = corners.next() else { return 0.0 };
    let around = corners.fold(Rect::from_points(first, first), |around, corner| around.union_pt(corner));
    around.intersect(Rect::new(0.0, 0.0, f64::from(u16::MAX), f64::from(u16::MAX))).area().max(0.0)
}

/// How many operators a function in PostScript has; 0 of another function. Nothing else tells but what is printed of it for programmers, so
/// its pieces are counted from the name on.
fn operators(function: &ShadingFunction) -> f64 {
    let mut pieces = Pieces { is_program: false, count: 0 };
    // It ends early when there are too many.
    if write!(pieces, "{function:?}").is_err() {
        return f64::from(MOST_PIECES) * 10.0;
    }
    f64::from(pieces.count)
}

/// Pieces that are counted, of any function.
const MOST_PIECES: u32 = 1_000_000;

struct Pieces {
    is_program: bool,
    count: u32,
}

impl Write for Pieces {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.is_program |= piece == "Type4";
        self.count += u32::from(self.is_program);
        if self.count > MOST_PIECES { Err(fmt::Error) } else { Ok(()) }
    }
}
