//! Quantization and Huffman tables, as the segments between scans define them.

use crate::error::{Error, damaged};
use crate::frame::Scan;
use crate::huffman::Huffman;
use crate::standard;

/// What the segments between scans define. It holds until it is defined again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) quantization: [Option<[u16; 64]>; 4],
    pub(crate) dc: [Option<Huffman>; 4],
    pub(crate) ac: [Option<Huffman>; 4],
    /// In minimum coded units; 0 for none.
    pub(crate) restart_interval: usize,
}

impl Tables {
    /// Takes the tables of a DQT segment (T.81, B.2.4.1).
    pub(crate) fn define_quantization(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let cut = Error::Damaged("a quantization table is cut short");
        while let Some((kind, rest)) = body.split_first() {
            let mut table = [0; 64];
            let length = if kind >> 4 == 0 { 64 } else { 128 };
            let (values, rest) = rest.split_at_checked(length).ok_or(cut.clone())?;
            if length == 64 {
                table = std::array::from_fn(|at| values.get(at).copied().unwrap_or_default().into());
            } else {
                for (to, from) in table.iter_mut().zip(values.as_chunks().0) {
                    *to = u16::from_be_bytes(*from);
                }
            }
            let place = self.quantization.get_mut(usize::from(kind & 15));
            *place.ok_or(Error::Damaged("a quantization table of a number that there is not"))? = Some(table);
            body = rest;
        }
        Ok(())
    }

    /// Takes the tables of a DHT segment (T.81, B.2.4.2).
    pub(crate) fn define_huffman(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let cut = Error::Damaged("a Huffman table is cut short");
        while let Some((kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(cut.clone())?;
            let length = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(length).ok_or(cut.clone())?;
            let kinds = match kind >> 4 {
                0 if symbols.iter().any(|size| *size > 15) => return damaged("a difference of more than 15 bits"),
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return damaged("a Huffman table of no kind"),
            };
            let place = kinds.get_mut(usize::from(kind & 15));
            let place = place.ok_or(Error::Damaged("a Huffman table of a number that there is not"))?;
            *place = Some(Huffman::new(counts, symbols)?);
            body = rest;
        }
        Ok(())
    }

    /// Takes the usual Huffman tables where a baseline scan asks for one that the file does not define: single frames of Motion JPEG do
    /// not say what all of them have in common.
    pub(crate) fn complete(&mut self, scan: &Scan) -> Result<(), Error> {
        for part in &scan.parts {
            for (tables, number, usual) in
                [(&mut self.dc, part.dc_table, &standard::DC), (&mut self.ac, part.ac_table, &standard::AC)]
            {
                if let (Some(place @ None), Some((counts, symbols))) = (tables.get_mut(number), usual.get(number)) {
                    *place = Some(Huffman::new(counts, symbols)?);
                }
            }
        }
        Ok(())
    }
}
