/**
 * A timeline as a page that needs nothing else, not even a network.
 *
 * @module
 */
import { BAR } from "./bars.ts";
import { escapeXml, FRAME } from "./shapes.ts";
import { type TimelinePicture, timelineSvg } from "./timeline_svg.ts";
import viewer from "./viewer.js" with { type: "text" };

const STYLE = [
  "html{color-scheme:light dark}",
  "body{margin:0;font:13px/1.5 system-ui,sans-serif}",
  "svg{display:block;width:100%;height:auto;cursor:grab;touch-action:none}",
  "svg:active{cursor:grabbing}.hot{stroke:#1f2328;stroke-width:2;",
  "vector-effect:non-scaling-stroke}",
  "#tip{position:fixed;white-space:pre;padding:6px 10px;border-radius:6px;",
  "background:#1f2328;color:#fff;pointer-events:none}",
  "#help{margin:0;padding:0 20px 12px;color:#6e7781}",
  "@media(prefers-color-scheme:dark){body{background:#0d1117}",
  ".hot{stroke:#fff}}",
].join("");

/** A page with a picture that zooms, moves and tells what is pointed at. */
export function timelineHtml(picture: TimelinePicture): string {
  const { title, timeline, window, first = window } = picture;
  const data = JSON.stringify({
    requests: timeline.requests,
    window,
    first,
    frame: FRAME,
    bar: BAR,
  });
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    // An icon of its own, because a browser would ask a server for one.
    '<link rel="icon" href="data:,">',
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style></head><body>`,
    timelineSvg({ ...picture, moves: true }),
    '<p id="help">Wheel or + and -: zoom. Drag or arrow keys: move. ' +
    "Double click or 0: everything. Point at a bar to see its request.</p>",
    '<div id="tip" hidden></div>',
    // "<" would be able to end the element.
    `<script type="application/json" id="data">${
      data.replaceAll("<", "\\u003c")
    }</script>`,
    `<script type="module">${viewer}</script>`,
    "</body></html>",
    "",
  ].join("\n");
}
