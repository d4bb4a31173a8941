#pragma once

#include <string_view>

namespace vicket::bench {

/// The report's looks, for light and dark. The lines' colours are told apart with the common kinds of colour
/// blindness (smallest CIE76 distance of a pair: 16 in the light, 25 in the dark) and have a contrast of 3:1
/// at least against the paper. Those for the light are in svg.cpp too, for a plot without a page.
inline constexpr std::string_view page_style = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --text: #1b1f24; --muted: #57606a; --grid: #e1e4e8; --panel: #f6f8fa;
  --good: #0a6b3d; --good-paper: #dff5e8;
  --fair: #6b5300; --fair-paper: #fdf3cf;
  --bad: #a3181f; --bad-paper: #fde4e4;
  --line-1: #0072b2; --line-2: #d55e00; --line-3: #2f9960; --line-4: #a63c7f;
  --line-5: #2b3538; --line-6: #b88e47; --line-7: #149aee; --line-8: #801616;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171c; --text: #e6e9ed; --muted: #9aa4af; --grid: #2c333b; --panel: #1c2128;
    --good: #7fe0a8; --good-paper: #12351f;
    --fair: #f0d580; --fair-paper: #3a3110;
    --bad: #ff9a98; --bad-paper: #45171a;
    --line-1: #4fa8e8; --line-2: #f08a3c; --line-3: #1aeda3; --line-4: #c988a4;
    --line-5: #fffffb; --line-6: #f1dc21; --line-7: #b8daff; --line-8: #c83b3c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 64rem;
  background: var(--paper); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
  overflow-wrap: break-word;
}
h1 { font-size: 1.75rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 0.25rem; padding-top: 1rem; border-top: 1px solid var(--grid); }
a { color: inherit; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1.25rem; margin: 0 0 1.5rem; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; }
.said { padding: 0.75rem 1rem; border-radius: 0.4rem; border-left: 0.35rem solid; font-weight: 600; }
.good { color: var(--good); background: var(--good-paper); }
.fair { color: var(--fair); background: var(--fair-paper); }
.bad { color: var(--bad); background: var(--bad-paper); }
.what, .took { color: var(--muted); margin: 0 0 1rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; }
th, td { padding: 0.4rem 0.75rem; border-bottom: 1px solid var(--grid); }
th, td { text-align: left; vertical-align: top; }
th { color: var(--muted); font-weight: 600; white-space: nowrap; }
th.number, td.number { text-align: right; white-space: nowrap; }
td.verdict { white-space: nowrap; font-weight: 600; }
td.rounds { color: var(--muted); min-width: 12rem; }
td.figure { min-width: 14rem; }
ul { padding-left: 1.2rem; margin: 1rem 0; }
.notes { color: var(--muted); }
.violations { padding: 0.75rem 1rem 0.75rem 2rem; border-radius: 0.4rem; }
.plots figure { margin: 1.25rem 0; overflow-x: auto; border: 1px solid var(--grid); border-radius: 0.4rem; }
svg.plot { display: block; width: 100%; min-width: 34rem; height: auto; }
)css";

} // namespace vicket::bench
