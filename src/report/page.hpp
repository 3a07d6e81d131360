/// \file
/// The page around a report's sections, and drawings as files.
#pragma once

#include "chart.hpp"

#include "weft/version.hpp"

#include <vector>

namespace weft::detail {

/// Blue is right or training, red is wrong, orange is validation. Colour-blind readers can tell
/// them apart (Okabe and Ito 2008), and each has a second sign. They are lighter on a dark screen.
inline constexpr std::string_view drawing_style =
    "text{font:14px system-ui,sans-serif;fill:var(--text)}"
    ".title{font-weight:600;font-size:16px}.middle{text-anchor:middle}.end{text-anchor:end}"
    ".axis{stroke:var(--soft);fill:none}.mesh{stroke:var(--line)}.tick{fill:var(--soft)}"
    ".rest{fill:var(--grey)}"
    "rect.right,text.right{fill:var(--right)}rect.wrong,text.wrong{fill:var(--wrong)}"
    ".curve0,.curve1{fill:none;stroke-width:2.2;stroke-linejoin:round}"
    ".curve0{stroke:var(--right)}.curve1{stroke:var(--validation);stroke-dasharray:7 4}"
    ".mark0{fill:var(--right)}.mark1{fill:var(--validation)}"
    "image,img{image-rendering:pixelated}";

inline constexpr std::string_view light_colours =
    "--text:#1b1f24;--soft:#57606a;--line:#d8dee4;--ground:#ffffff;--panel:#f6f8fa;--grey:#9aa3ad;"
    "--right:#0b5cad;--wrong:#c0241c;--validation:#c25400;--hit:11 92 173;--miss:192 36 28";

inline constexpr std::string_view dark_colours =
    "--text:#e8eaed;--soft:#a9b1ba;--line:#3a4149;--ground:#14171a;--panel:#1d2125;--grey:#7d8791;"
    "--right:#79b8ff;--wrong:#ff9188;--validation:#ffab5e;--hit:60 140 230;--miss:235 90 80";

inline constexpr std::string_view page_style =
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:76rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;"
    "color:var(--text);background:var(--ground);overflow-wrap:anywhere}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}"
    "h2{font-size:1.3rem;margin:2.2rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}"
    "h3{font-size:1.05rem;margin:1.4rem 0 .4rem}p{max-width:46rem}"
    "a{color:var(--right)}:focus-visible{outline:3px solid var(--validation);outline-offset:2px}"
    ".skip{position:absolute;left:-99rem}.skip:focus{position:static}"
    "nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;padding:0}"
    "nav a{display:inline-block;padding:.3rem 0}"
    ".alert{border-left:.3rem solid var(--wrong);padding:.5rem .8rem;background:var(--panel)}"
    ".scroll{overflow-x:auto;max-width:100%}"
    "pre{background:var(--panel);padding:.8rem;margin:0;font-size:.85rem;width:max-content;"
    "min-width:100%}"
    "table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));"
    "gap:0 3rem}.pair div{min-width:0}.pair h3:first-child{margin-top:0}"
    "th,td{padding:.28rem .6rem;border-bottom:1px solid var(--line);text-align:right;"
    "overflow-wrap:normal}"
    "th{font-weight:600}th:first-child{text-align:left;position:sticky;left:0;max-width:11rem;"
    "overflow-wrap:break-word;"
    "background:var(--ground)}.text td,.text th{text-align:left}.options *{overflow-wrap:anywhere}"
    "td small{display:block;color:var(--soft);white-space:nowrap}"
    ".confusion td{text-align:center;min-width:2.9rem}.confusion thead th{text-align:center}"
    ".confusion thead th:first-child{text-align:left}"
    ".hit{background:rgb(var(--hit)/calc(var(--s)*.5))}"
    ".miss{background:rgb(var(--miss)/calc(var(--s)*.6))}"
    ".curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));"
    "gap:1rem 2rem;max-width:70rem}"
    "svg{display:block;width:100%;height:auto}details{margin:.8rem 0}summary{cursor:pointer;"
    "padding:.3rem 0}"
    ".sheet{display:grid;gap:1rem;list-style:none;padding:0;margin:.6rem 0}"
    ".five{grid-template-columns:repeat(5,1fr);max-width:46rem}"
    ".narrow{grid-template-columns:repeat(auto-fill,minmax(max(5.5rem,17%),1fr));max-width:46rem}"
    ".small{grid-template-columns:repeat(auto-fill,minmax(max(3.5rem,10%),1fr));max-width:46rem}"
    ".wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,max(17rem,30%)),1fr))}"
    "figure{margin:0;break-inside:avoid}figure div{display:grid;gap:.6rem;align-items:end}"
    ".wide figure div{grid-template-columns:6.5rem minmax(0,13rem)}"
    "figure "
    "img{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain;background:#808080;"
    "border:1px solid var(--line)}"
    "figcaption{font-size:.9rem;line-height:1.3;padding-top:.25rem}"
    "figcaption.right{color:var(--right)}figcaption.wrong{color:var(--wrong)}"
    "footer{margin-top:2.5rem;color:var(--soft);font-size:.85rem}"
    "@media(max-width:30rem){.sheet{gap:.7rem}.five{gap:.4rem}.five figcaption{font-size:.72rem}"
    "th,td{padding:.25rem .4rem}}"
    "@media print{body{max-width:none;padding:0;font-size:10pt;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}nav,.skip{display:none}section,table{break-inside:auto}"
    "tr,.curves "
    "svg{break-inside:avoid}h2,h3,p{break-after:avoid}.five,.narrow,.small{max-width:26rem}.scroll{"
    "overflow:visible}"
    ".wide{grid-template-columns:repeat(3,1fr)}.wide figure div{grid-template-columns:4.5rem "
    "minmax(0,9rem)}"
    "pre{white-space:pre-wrap;width:auto}.confusion td{min-width:0}table{font-size:8pt}}";

/// A part of a report. One without content is left out.
struct Section {
    std::string_view id;
    std::string_view heading;
    std::string content;
};

/// The whole page. It loads nothing from elsewhere and allows no script.
inline std::string html_page(std::string_view title, const std::vector<Section>& sections) {
    const std::string name = escaped(title);
    std::string links, body;
    for (const Section& section : sections) {
        if (section.content.empty()) continue;
        links += concat("<li><a href=\"#", section.id, "\">", section.heading, "</a></li>\n");
        body += concat("<section aria-labelledby=\"", section.id, "\">\n<h2 id=\"", section.id,
                       "\">", section.heading, "</h2>\n", section.content, "</section>\n");
    }
    return concat(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'\"/>\n<title>",
        name, "</title>\n<style>\n:root{color-scheme:light dark;", light_colours,
        "}\n@media screen and (prefers-color-scheme:dark){:root{", dark_colours, "}}\n",
        drawing_style, "\n", page_style, "\n</style>\n</head>\n<body>\n",
        "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header>\n<h1>", name,
        "</h1>\n<nav aria-label=\"Sections\">\n<ul>\n", links,
        "</ul>\n</nav>\n</header>\n<main id=\"content\">\n", body, "</main>\n<footer>Made by weft ",
        WEFT_VERSION, ". This file is complete and needs no network.</footer>\n",
        "</body>\n</html>\n");
}

/// The drawing as an SVG file, on white.
inline std::string svg_file(const Drawing& drawing, std::string_view title) {
    return concat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", drawing.width,
                  "\" height=\"", drawing.height, "\" viewBox=\"0 0 ", drawing.width, " ",
                  drawing.height, "\">\n<title>", escaped(title), "</title>\n<style>svg{",
                  light_colours, "}", drawing_style, "</style>\n<rect width=\"100%\" ",
                  "height=\"100%\" fill=\"#ffffff\"/>\n", drawing.elements, "</svg>\n");
}

}  // namespace weft::detail
