//! From coefficients to differences: section 14.

/// A block of 4×4 values, row by row.
pub(crate) type Block = [i16; 16];

/// Section 14.3: the inverse Walsh–Hadamard transform of the luma blocks' DCs.
#[expect(clippy::cast_possible_truncation, reason = "as libwebp: only a file that no encoder makes has larger sums")]
pub(crate) fn second_order(block: &mut Block) {
    let value = block.map(i32::from);
    let mut middle = [0; 16];
    for column in 0..4 {
        let [a, b, c, d] = std::array::from_fn(|row| value.get(4 * row + column).copied().unwrap_or(0));
        let (a1, b1, c1, d1) = (a + d, b + c, b - c, a - d);
        for (row, sum) in [a1 + b1, c1 + d1, a1 - b1, d1 - c1].into_iter().enumerate() {
            if let Some(place) = middle.get_mut(4 * row + column) {
                *place = sum;
            }
        }
    }
    for (out, [a, b, c, d]) in block.as_chunks_mut::<4>().0.iter_mut().zip(middle.as_chunks::<4>().0) {
        let (a1, b1, c1, d1) = (a + d + 3, b + c, b - c, a - d + 3);
        *out = [a1 + b1, c1 + d1, a1 - b1, d1 - c1].map(|sum| (sum >> 3) as i16);
    }
}

type Row = [i16; 4];

/// (a × 20091) / 65536 + a, which is a × √2 × cos(π / 8).
#[inline(always)]
#[expect(clippy::inline_always, reason = "one instruction; the half of a product fits")]
fn cosine(a: i16) -> i16 {
    ((i32::from(a) * 20_091) >> 16) as i16
}

/// (a × 35468) / 65536, which is a × √2 × sin(π / 8), less a: the factor does not fit into 16 bits.
#[inline(always)]
#[expect(clippy::inline_always, reason = "one instruction; the half of a product fits")]
fn sine(a: i16) -> i16 {
    ((i32::from(a) * (35_468 - 65_536)) >> 16) as i16
}

/// Half of the transform: four columns at once.
#[inline(always)]
#[expect(clippy::inline_always, clippy::indexing_slicing, reason = "becomes a few vector instructions; arrays of four")]
fn columns([first, second, third, fourth]: [Row; 4]) -> [Row; 4] {
    let mut out = [[0; 4]; 4];
    for i in 0..4 {
        let a = first[i].wrapping_add(third[i]);
        let b = first[i].wrapping_sub(third[i]);
        let c = sine(second[i]).wrapping_add(second[i]).wrapping_sub(cosine(fourth[i])).wrapping_sub(fourth[i]);
        let d = cosine(second[i]).wrapping_add(second[i]).wrapping_add(sine(fourth[i])).wrapping_add(fourth[i]);
        out[0][i] = a.wrapping_add(d);
        out[1][i] = b.wrapping_add(c);
        out[2][i] = b.wrapping_sub(c);
        out[3][i] = a.wrapping_sub(d);
    }
    out
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "becomes a few vector instructions")]
fn transpose([a, b, c, d]: [Row; 4]) -> [Row; 4] {
    [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]]
}

/// The inverse cosine transform, as what is to be added to the pixels.
#[inline]
pub(crate) fn inverse(block: &Block) -> [Row; 4] {
    let [first, second, third, fourth] = [
        [block[0], block[1], block[2], block[3]],
        [block[4], block[5], block[6], block[7]],
        [block[8], block[9], block[10], block[11]],
        [block[12], block[13], block[14], block[15]],
    ];
    let mut middle = transpose(columns([first, second, third, fourth]));
    middle[0] = middle[0].map(|value| value.wrapping_add(4));
    transpose(columns(middle).map(|row| row.map(|value| value >> 3)))
}

/// What a block with nothing but a DC adds to each of its pixels.
#[inline]
pub(crate) fn flat(dc: i16) -> i16 {
    dc.wrapping_add(4) >> 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dc_alone_is_flat() {
        for dc in [-2000, -5, -4, -1, 0, 3, 4, 1999] {
            let mut block = [0; 16];
            block[0] = dc;
            assert_eq!(inverse(&block), [[flat(dc); 4]; 4], "{dc}");
        }
    }

    #[test]
    fn the_transform_is_the_one_of_the_rfc() {
        // Section 14.3's code in 32 bits, on values that an encoder may make.
        let mut seed = 1_u32;
        for _ in 0..1000 {
            let block: Block = std::array::from_fn(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i16::try_from(seed >> 21).unwrap() - 1024
            });
            let cos = |a: i32| a + ((a * 20_091) >> 16);
            let sin = |a: i32| (a * 35_468) >> 16;
            let half = |v: [i32; 4]| {
                let (a, b) = (v[0] + v[2], v[0] - v[2]);
                let (c, d) = (sin(v[1]) - cos(v[3]), cos(v[1]) + sin(v[3]));
                [a + d, b + c, b - c, a - d]
            };
            let mut middle = [[0; 4]; 4];
            for x in 0..4 {
                let column = half(std::array::from_fn(|y| i32::from(block[4 * y + x])));
                for y in 0..4 {
                    middle[y][x] = column[y];
                }
            }
            let expected = middle.map(|row| half(row).map(|value| i16::try_from((value + 4) >> 3).unwrap()));
            assert_eq!(inverse(&block), expected);
        }
    }
}
