//! A PDF that is there in whole: how many pages it has, and its first one as a picture. `docs/decisions/0016-first-pages.md` says why so.

mod budget;
mod images;
mod shadings;

use std::any::Any;

use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_interpret::{InterpreterSettings, hayro_syntax};
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings};
use hayro_syntax::page::Page;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use vestibule_domain::inspection::Facts;
use vestibule_domain::policy::{InspectLimits, InspectPolicy};

use self::budget::{Exhausted, spend};
use crate::content::Content;
use crate::guarded;
use crate::inside::refuse_encrypted;
use crate::picture::{self, Shown, VARIANTS};
use crate::raster::{Layout, Raster};
use crate::stop::Stop;
use crate::trouble::Trouble;

/// Looks into a document, of which `bytes` are all; `None` when it is longer than is read whole. What is wrong with it is the reason why it has
/// no picture. Width and height stay unknown, since a page has no pixels.
///
/// # Errors
/// [`Stop::Refused`] only where it is found out here that it is encrypted, and the policy does not take that.
pub(crate) fn look(bytes: Option<Vec<u8>>, mut facts: Facts, policy: &InspectPolicy) -> Result<Content, Stop> {
    let opened = bytes.ok_or_else(|| unsupported("larger than is read whole")).and_then(open);
    let shown = match opened {
        Ok(Opened::Plain(pdf)) => {
            facts.pages = u32::try_from(pdf.pages().len()).ok().filter(|pages| *pages > 0);
            first_page(&pdf, &policy.limits)
        }
        Ok(Opened::Locked(why)) => {
            facts.encrypted = Some(true);
            refuse_encrypted(policy)?;
            Err(unsupported(&why))
        }
        Err(trouble) => Err(trouble),
    };
    Ok(Content { facts, shown: Some(shown) })
}

/// A document that was found.
enum Opened {
    /// One that can be read.
    Plain(Pdf),
    /// One that is encrypted, and why it stays so.
    Locked(String),
}

/// Opens a document with the empty password, as readers do first.
fn open(bytes: Vec<u8>) -> Result<Opened, Trouble> {
    match unless_it_unwinds(|| Pdf::new(bytes))? {
        Ok(pdf) => Ok(Opened::Plain(pdf)),
        Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => {
            Ok(Opened::Locked("a password is needed".to_owned()))
        }
        Err(LoadPdfError::Decryption(error)) => Ok(Opened::Locked(format!("its encryption: {error:?}"))),
        Err(LoadPdfError::Invalid) => Err(unsupported("neither its table of objects nor its pages can be found")),
    }
}

/// The first page as thumbnails.
fn first_page(pdf: &Pdf, limits: &InspectLimits) -> Result<Shown, Trouble> {
    let page = pdf.pages().first().ok_or_else(|| unsupported("it has no page"))?;
    let longest = VARIANTS.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    let raster = unless_it_unwinds(|| render(page, longest, limits))??;
    picture::show_raster(raster)
}

/// The page on white, its longer side `longest` pixels whatever its size in points: what is drawn in lines has no size of its own.
fn render(page: &Page<'_>, longest: u32, limits: &InspectLimits) -> Result<Raster, Trouble> {
    let (across, down) = page.render_dimensions();
    let (width, height) = size(across, down, longest).ok_or_else(|| unsupported("a page without a size"))?;
    let to_pixels =
        Affine::scale_non_uniform(f64::from(width) / f64::from(across), f64::from(height) / f64::from(down))
            * page.initial_transform(true).to_kurbo();
    let settings = InterpreterSettings::default();
    spend(page, to_pixels, (width, height), &settings, limits);
    let mut context = RenderContext::new(width, height);
    hayro::render_into(page, &RenderCache::new(), &settings, &RenderSettings::default(), &mut context, to_pixels);
    context.flush();
    let mut pixels = Pixmap::new(width, height);
    let onto_white = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
    context.render_with(&mut pixels, &mut Resources::default(), onto_white);
    let opaque =
        pixels.data_as_u8_slice().as_chunks::<4>().0.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]);
    Raster::new(width.into(), height.into(), Layout::Rgb, opaque.collect())
}

/// The size in pixels of a page of `across` × `down` points, its longer side `longest` and neither less than 1; `None` for numbers that are
/// no size.
fn size(across: f32, down: f32, longest: u32) -> Option<(u16, u16)> {
    let longest = u16::try_from(longest).ok()?;
    let scale = f64::from(longest) / f64::from(across.max(down));
    let scaled = |length: f32| {
        let pixels = (f64::from(length) * scale).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and what fits")]
        (pixels.is_finite() && length > 0.0).then(|| pixels.clamp(1.0, f64::from(longest)) as u16)
    };
    Some((scaled(across)?, scaled(down)?))
}

/// What `work` gives, unless it panics, or unwinds because its budget is spent.
///
/// To go on is sound here. What `work` makes is dropped with it, the document that it borrows is not looked at again, and nothing else is
/// shared: hayro has no state outside its own values. It forbids `unsafe`, but for one lifetime in `hayro-syntax`.
fn unless_it_unwinds<T>(work: impl FnOnce() -> T) -> Result<T, Trouble> {
    guarded::unless_it_unwinds(work).map_err(|payload| unsupported(&reason(payload.as_ref())))
}

fn reason(payload: &(dyn Any + Send)) -> String {
    if let Some(Exhausted(what)) = payload.downcast_ref() {
        return format!("its first page costs too much: {what}");
    }
    format!("the renderer gave up: {}", guarded::said(payload).unwrap_or("it does not say why"))
}

fn unsupported(detail: &str) -> Trouble {
    Trouble::Unsupported(format!("PDF: {detail}"))
}

#[cfg(test)]
mod tests;
