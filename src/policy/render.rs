use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Place, Severity};
use super::source::Lines;

/// Characters of a long line that are shown before and behind the place.
const AROUND: usize = 200;
/// Columns of a terminal that every reader has; longer lines are cut around the place.
const WIDTH: usize = 80;

/// Whether a rendering has terminal colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI escape sequences.
    On,
    /// None.
    Off,
}

/// Problems as people read them: what, where, the line itself with the place underlined, what to write instead.
#[must_use]
pub fn render_diagnostics(file: &str, text: &str, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let lines = Lines::new(text);
    let renderer = match colour {
        Colour::On => Renderer::styled(),
        Colour::Off => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let rendered: Vec<String> =
        diagnostics.iter().map(|diagnostic| renderer.render(&[group(file, &lines, diagnostic)])).collect();
    rendered.join("\n\n")
}

fn group<'a>(file: &'a str, lines: &Lines<'a>, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&*diagnostic.message).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title)
        .elements(excerpt(file, lines, diagnostic.place, |span| AnnotationKind::Primary.span(span)));
    if let Some(related) = &diagnostic.related {
        let annotation = |span| AnnotationKind::Context.span(span).label(&*related.message);
        group = group.elements(excerpt(file, lines, related.place, annotation));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// A place's line, with the place marked. Of a very long line, what is around it.
fn excerpt<'a>(
    file: &'a str,
    lines: &Lines<'a>,
    place: Place,
    annotate: impl FnOnce(std::ops::Range<usize>) -> Annotation<'a>,
) -> Vec<Element<'a>> {
    let line = lines.line(place.line);
    let first = place.column.saturating_sub(1);
    let from = first.saturating_sub(AROUND);
    let begin = byte(line, from);
    let end = byte(line, place.end_column.min(place.column + AROUND) + AROUND);
    let shown = line.get(begin..end).unwrap_or_default();
    let span = byte(shown, first - from)..byte(shown, place.end_column.saturating_sub(1 + from));
    let snippet = Snippet::source(shown).line_start(place.line).annotation(annotate(span));
    if begin == 0 {
        return vec![snippet.path(file).into()];
    }
    // The snippet alone would count its columns from the cut.
    let origin = Origin::path(file).line(place.line).char_column(place.column);
    vec![origin.into(), snippet.into()]
}

/// Where a line's character begins; the line's end if it has not so many.
fn byte(line: &str, character: usize) -> usize {
    line.char_indices().nth(character).map_or(line.len(), |(at, _)| at)
}
