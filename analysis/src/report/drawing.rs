//! Figures as parts of the page, restricted to the output of dhtlab.
//!
//! The file of a figure may come from an untrusted source, and an SVG can contain scripts, load
//! addresses and imitate another page. So the file is parsed as XML, each element and attribute is
//! compared with the few that figures of dhtlab have, and the page gets the parsed content, written
//! anew.

use std::fmt::Write;
use std::path::Path;

use maud::{Markup, PreEscaped, html};
use roxmltree::{Document, Node, NodeType};

use dhtlab_files::Links;

/// The largest accepted file of a figure.
const MOST: u64 = 1 << 24;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Elements with text.
const TEXTS: [&str; 3] = ["desc", "text", "title"];

const SHAPES: [&str; 5] = ["circle", "path", "polygon", "polyline", "rect"];

const ATTRIBUTES: [&str; 21] = [
    "cx",
    "cy",
    "d",
    "dy",
    "fill",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "opacity",
    "points",
    "r",
    "stroke",
    "stroke-linejoin",
    "stroke-width",
    "text-anchor",
    "viewBox",
    "width",
    "x",
    "y",
];

/// The anchor of the figure in `path`.
pub fn anchor(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let name = path.file_stem().unwrap_or_default();
    format!("{}--{}", folder.to_string_lossy(), name.to_string_lossy())
}

/// What the page says in place of a file that it refuses.
const REFUSED: &str = "The file of this figure is not one that dhtlab drew.";

/// A link to the figure in `path`, which is at `address` as seen from the page; a refused file is
/// not linked.
pub fn link(path: &Path, address: &str, name: &str) -> Markup {
    html! {
        @if read(path).is_some() { a href=(address) { (name) } }
        @else { (name) ": " (REFUSED) }
    }
}

fn read(path: &Path) -> Option<String> {
    drawing(&dhtlab_files::read_text(path, Links::Refused, MOST).ok()?)
}

/// The figure in `path` in small, with a link to it: the page has its drawing once. Titles and
/// legends, which would be too small to read, are left out: the box is larger than what it shows.
pub fn thumbnail(path: &Path) -> Option<Markup> {
    read(path)?;
    let target = format!("#{}", anchor(path));
    Some(html! {
        a.thumbnail href=(target) aria-label="the figure in full size" {
            svg aria-hidden="true" { use href=(target) x="-3%" y="-9%" width="105%" height="122%" {} }
        }
    })
}

/// The figure in `path` for the page, or why it is refused.
pub fn figure(path: &Path) -> Markup {
    let drawing = read(path);
    let drawing =
        drawing.map(|svg| svg.replacen("<svg ", &format!("<svg id=\"{}\" ", anchor(path)), 1));
    html! {
        figure {
            @match &drawing {
                Some(svg) => { (PreEscaped(svg)) }
                None => { p { (REFUSED) } }
            }
        }
    }
}

/// The drawing in the SVG document `text`; `None` if it has any other content.
fn drawing(text: &str) -> Option<String> {
    // The parser refuses document types, and therefore entities.
    let document = Document::parse(text).ok()?;
    let root = document.root_element();
    let is_alone = document.root().children().count() == 1;
    if !is_alone || root.tag_name().name() != "svg" {
        return None;
    }
    let mut out = format!("<svg role=\"img\" xmlns=\"{SVG}\"");
    add_attributes(root, &mut out)?;
    out.push('>');
    for child in root.children() {
        match child.node_type() {
            NodeType::Element => add_element(child, &mut out)?,
            NodeType::Text => add_space(child, &mut out)?,
            _ => return None,
        }
    }
    out.push_str("</svg>");
    Some(out)
}

fn add_element(element: Node<'_, '_>, out: &mut String) -> Option<()> {
    let name = element.tag_name().name();
    let is_text = TEXTS.contains(&name);
    if !is_text && !SHAPES.contains(&name) {
        return None;
    }
    let _ = write!(out, "<{name}");
    add_attributes(element, out)?;
    if !is_text {
        out.push_str("/>");
        return (!element.has_children()).then_some(());
    }
    out.push('>');
    for child in element.children() {
        if child.node_type() != NodeType::Text {
            return None;
        }
        out.push_str(&html! { (child.text().unwrap_or_default()) }.into_string());
    }
    let _ = write!(out, "</{name}>");
    Some(())
}

/// Adds the attributes of an SVG element.
fn add_attributes(element: Node<'_, '_>, out: &mut String) -> Option<()> {
    if element.tag_name().namespace() != Some(SVG) {
        return None;
    }
    for attribute in element.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        let is_plain = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || " .,#-".contains(c);
            text.chars().all(plain)
        };
        let is_known = match name {
            "transform" => value
                .strip_prefix("rotate(")
                .and_then(|rest| rest.strip_suffix(')'))
                .is_some_and(is_plain),
            name => ATTRIBUTES.contains(&name) && is_plain(value),
        };
        if attribute.namespace().is_some() || !is_known {
            return None;
        }
        if (name, value) != ("opacity", "1") {
            let _ = write!(out, " {name}=\"{value}\"");
        }
    }
    Some(())
}

/// Adds the white space between two elements; any other text is refused.
fn add_space(text: Node<'_, '_>, out: &mut String) -> Option<()> {
    let text = text.text().unwrap_or_default();
    out.push_str(text);
    text.trim().is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(body: &str) -> String {
        format!("<svg width=\"9\" xmlns=\"{SVG}\">{body}</svg>")
    }

    #[test]
    fn a_drawing_is_taken_in() {
        let body = "<title>a &lt;b&gt; &amp; c</title>\n<rect x=\"0\" y=\"-1.5\" fill=\"#FFFFFF\"/>\
                    <path fill=\"none\" d=\"m1000,600v4109m161-4109z\"/>\
                    <text font-family=\"sans-serif\" dy=\"0.76em\" transform=\"rotate(270, 1, 2)\">\n\
                    online = on\n</text>";
        let expected = svg(body).replacen("<svg width=\"9\"", "<svg role=\"img\"", 1);
        let expected = expected.replacen(
            &format!("xmlns=\"{SVG}\""),
            &format!("xmlns=\"{SVG}\" width=\"9\""),
            1,
        );
        assert_eq!(drawing(&svg(body)), Some(expected));
        let opaque = drawing(&svg("<circle opacity=\"1\" r=\"2\"/>")).unwrap();
        assert!(opaque.ends_with("><circle r=\"2\"/></svg>"), "{opaque}");
    }

    /// The output of dhtlab is accepted.
    #[test]
    fn every_committed_figure_is_taken_in() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        let mut count = 0;
        for folder in std::fs::read_dir(results).unwrap() {
            let folder = folder.unwrap().path();
            for file in std::fs::read_dir(folder).into_iter().flatten() {
                let path = file.unwrap().path();
                if path.extension().is_some_and(|kind| kind == "svg") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(drawing(&text).is_some(), "{}", path.display());
                    count += 1;
                }
            }
        }
        assert!(count > 50, "{count}");
    }

    /// Content that could run, load or hide something is refused, in the forms that word filters
    /// miss.
    #[test]
    fn hostile_files_are_not_taken_in() {
        let hostile = [
            "<script>alert(1)</script>",
            "<svg:script xmlns:svg=\"http://www.w3.org/2000/svg\">alert(1)</svg:script>",
            "<g onload\n=\"alert(1)\"/>",
            "<rect x=\"1\"/onload=\"alert(1)\"/>",
            "<rect title=\"&gt;\" onclick=\"alert(1)\"/>",
            "<a href='https://example.org'><text>x</text></a>",
            "<a xlink:href=\"jav&#97;script:alert(1)\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"/>",
            "<set attributeName=\"href\" to=\"x\"/>",
            "<animate attributeName=\"href\" values=\"j&#10;avascript:alert(1)\"/>",
            "<style>@im\\70ort 'https://example.org'</style>",
            "<rect style=\"fill:u\\72l(https://example.org)\"/>",
            "<rect fill=\"url(https://example.org)\"/>",
            "<use href='data:image/svg+xml,x'/>",
            "<image href=\"https://example.org\"/>",
            "<foreignObject><p xmlns=\"http://www.w3.org/1999/xhtml\">x</p></foreignObject>",
            "<iframe xmlns=\"http://www.w3.org/1999/xhtml\" src=\"x\"/>",
            "<title><b xmlns=\"http://www.w3.org/1999/xhtml\" onclick=\"x\">x</b></title>",
            "<text><a href=\"x\">x</a></text>",
            "<rect><script/></rect>",
            "<!-- --><rect/>",
            "<?xml-stylesheet href=\"x\"?>",
            "</svg><img src=x onerror=alert(1)><svg>",
            "<rect transform=\"rotate(1) url(x)\"/>",
            "words",
        ];
        for body in hostile {
            assert_eq!(drawing(&svg(body)), None, "{body}");
        }
        for text in [
            String::new(),
            "<html></html>".to_owned(),
            "<svg></svg>".to_owned(),
            "<svg xmlns=\"http://www.w3.org/1999/xhtml\"></svg>".to_owned(),
            format!(
                "<!DOCTYPE svg [<!ENTITY x \"<script/>\">]>{}",
                svg("<text>&x;</text>")
            ),
            format!("<?xml-stylesheet href=\"x\"?>{}", svg("")),
            format!("{}<script/>", svg("")),
            format!("<svg xmlns=\"{SVG}\" onload=\"alert(1)\"/>"),
        ] {
            assert_eq!(drawing(&text), None, "{text}");
        }
        // Text stays text, however it is encoded.
        for text in [
            "<![CDATA[<script>alert(1)</script>]]>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        ] {
            let taken = drawing(&svg(&format!("<title>{text}</title>"))).unwrap();
            let expected = "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>";
            assert!(taken.contains(expected), "{taken}");
        }
    }
}
