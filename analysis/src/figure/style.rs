//! The style of the figures: colours, markers, dashes and sizes.
//!
//! The colours are those of Okabe and Ito, which colour-blind readers can distinguish. Markers and
//! dashes differ too, so that a figure printed in grey is readable.

use plotters::style::{BLACK, RGBColor};

/// Text and axes.
pub const INK: RGBColor = rgb(0x22_22_22);
/// Less prominent text.
pub const FAINT: RGBColor = rgb(0x55_55_55);
/// The lines of the grid.
pub const GRID: RGBColor = rgb(0xde_de_de);
/// The minor lines of the grid, between the ticks.
pub const MINOR_GRID: RGBColor = rgb(0xf0_f0_f0);
/// Theory curves that belong to no series, and published points.
pub const THEORY: RGBColor = BLACK;

/// The fills of cells and boxes, in turn: pale, and alternately light and dark, so that neighbours
/// differ in grey, too.
pub const TINTS: [RGBColor; 6] = [
    rgb(0xa9_cf_e8),
    rgb(0xfd_f3_d3),
    rgb(0xf2_bd_96),
    rgb(0xe3_f3_ec),
    rgb(0xd9_ad_c6),
    rgb(0xf2_f2_f2),
];

/// The title of a figure. All sizes are in pixels.
pub const TITLE_SIZE: f64 = 20.0;
/// The title of a panel.
pub const PANEL_SIZE: f64 = 17.0;
/// The label of an axis.
pub const LABEL_SIZE: f64 = 17.0;
/// The numbers at the ticks.
pub const TICK_SIZE: f64 = 15.0;
/// An entry of the legend.
pub const LEGEND_SIZE: f64 = 16.0;
/// The caption under the figure.
pub const CAPTION_SIZE: f64 = 14.0;

/// Half the height of a capital or a digit, as a fraction of the text size.
pub const HALF_CAPITAL: f64 = 0.36;

/// The shape of a series' markers. Hollow ones are reserved for published values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Circle,
    Square,
    Up,
    Down,
    Plus,
    Cross,
    Pentagon,
    Star,
}

/// The style of one series.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub colour: RGBColor,
    /// The fill of its bars.
    pub fill: RGBColor,
    /// The lengths of dashes and gaps, alternating; empty for a solid line.
    pub dash: &'static [f64],
    pub marker: Marker,
}

const STYLES: [Style; 8] = [
    style(0x00_72_b2, 0x3f_93_c6, &[], Marker::Circle),
    style(0xd5_5e_00, 0xf6_cf_ae, &[9.0, 4.0], Marker::Square),
    style(0x00_9e_73, 0x00_9e_73, &[2.0, 3.0], Marker::Up),
    style(0xcc_79_a7, 0xcc_79_a7, &[11.0, 3.0, 2.0, 3.0], Marker::Down),
    style(0xe6_9f_00, 0xe6_9f_00, &[5.0, 3.0], Marker::Plus),
    style(0x56_b4_e9, 0x56_b4_e9, &[14.0, 4.0], Marker::Cross),
    style(
        0x00_00_00,
        0x00_00_00,
        &[7.0, 3.0, 2.0, 3.0, 2.0, 3.0],
        Marker::Pentagon,
    ),
    style(0x8a_7f_00, 0x8a_7f_00, &[3.0, 6.0], Marker::Star),
];

const fn style(colour: u32, fill: u32, dash: &'static [f64], marker: Marker) -> Style {
    Style {
        colour: rgb(colour),
        fill: rgb(fill),
        dash,
        marker,
    }
}

const fn rgb(hex: u32) -> RGBColor {
    let [_, red, green, blue] = hex.to_be_bytes();
    RGBColor(red, green, blue)
}

/// The style of the series at `index`. From the ninth on colours repeat, with other dashes and
/// markers.
pub fn of_series(index: usize) -> Style {
    let round = index / STYLES.len();
    let base = STYLES[index % STYLES.len()];
    let other = STYLES[(index + 3 * round) % STYLES.len()];
    Style {
        dash: other.dash,
        marker: other.marker,
        ..base
    }
}

/// The dots of a prediction that each run writes beside its measurement.
pub const DOTS: &[f64] = &[2.0, 4.0];

/// The dashes of the theory curve at `index`.
pub fn theory_dash(index: usize) -> &'static [f64] {
    const DASHES: [&[f64]; 6] = [
        &[10.0, 6.0],
        &[10.0, 5.0, 2.0, 5.0],
        &[4.0, 4.0],
        &[16.0, 5.0],
        &[2.0, 5.0],
        &[6.0, 3.0, 6.0, 9.0],
    ];
    DASHES[index % DASHES.len()]
}
