//! Smaller scales beside their definition, computed from our own full size.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use jpeg_scaled::{Plane, Scale};

use crate::{corpus, decode};

/// The cosine of coefficient `u` at place `x` of `size`, times its norm (T.81, A.3.3, where `size` is 8).
fn cosine(u: u8, x: u8, size: u8) -> f64 {
    let norm = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    norm * ((2.0 * f64::from(x) + 1.0) * f64::from(u) * PI / (2.0 * f64::from(size))).cos()
}

/// The block of 8 × 8 samples as `size` × `size`: of its transform the lowest `size` × `size`, transformed back at that size.
fn reduce(block: &[[f64; 8]; 8], size: u8) -> Vec<f64> {
    let coefficient = |u: u8, v: u8| -> f64 {
        let at = |x: u8, y: u8| block[usize::from(y)][usize::from(x)] * cosine(u, x, 8) * cosine(v, y, 8);
        (0..8).flat_map(|y| (0..8).map(move |x| (x, y))).map(|(x, y)| at(x, y)).sum::<f64>() / 4.0
    };
    let square = || (0..size).flat_map(|v| (0..size).map(move |u| (u, v)));
    let kept: Vec<_> = square().map(|(u, v)| (u, v, coefficient(u, v))).collect();
    square()
        .map(|(x, y)| {
            kept.iter().map(|(u, v, value)| value * cosine(*u, x, size) * cosine(*v, y, size)).sum::<f64>() / 4.0
        })
        .collect()
}

/// The whole block at a place, unless samples of it are cut off at the ends of their range, where full size no longer has all of it.
fn whole_block(plane: &Plane, column: usize, row: usize) -> Option<[[f64; 8]; 8]> {
    let mut block = [[0.0; 8]; 8];
    for (y, line) in block.iter_mut().enumerate() {
        for (x, place) in line.iter_mut().enumerate() {
            let sample = plane.samples[(row * 8 + y) * plane.width + column * 8 + x];
            if sample == 0 || sample == 255 {
                return None;
            }
            *place = f64::from(sample) - 128.0;
        }
    }
    Some(block)
}

#[test]
fn a_smaller_block_is_the_lowest_coefficients_of_the_whole_one() {
    let mut compared = 0;
    for (name, bytes) in corpus() {
        let full = decode(&bytes, Scale::Full, false).unwrap();
        for scale in [Scale::Eighth, Scale::Quarter, Scale::ThreeEighths, Scale::Half] {
            let size = scale.eighths();
            let small = decode(&bytes, scale, false).unwrap();
            for (large, small) in full.planes.iter().zip(&small.planes) {
                for (row, column) in (0..large.height / 8).flat_map(|row| (0..large.width / 8).map(move |at| (row, at)))
                {
                    let Some(block) = whole_block(large, column, row) else { continue };
                    for (at, exact) in reduce(&block, u8::try_from(size).unwrap()).into_iter().enumerate() {
                        let (x, y) = (column * size + at % size, row * size + at / size);
                        let ours = f64::from(small.samples[y * small.width + x]);
                        let exact = (exact + 128.0).clamp(0.0, 255.0);
                        assert!((ours - exact).abs() < 1.0, "{name} at {scale:?}, {x} {y}: {ours}, not {exact}");
                        compared += 1;
                    }
                }
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}
