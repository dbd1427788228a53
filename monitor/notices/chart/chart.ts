import type { Measured } from "../../rules/evaluate-rule.js";
import { Canvas, textWidth, type Colour, type Spot } from "./canvas.js";
import { shortNumber, ticks, timeTicks } from "./ticks.js";

export interface ChartOptions {
  /** What is shown, ms since 1970. */
  readonly from: number;
  readonly to: number;
  /** A longer time between two points is a gap. */
  readonly gapMs: number;
  /** A dashed line. */
  readonly threshold: number | undefined;
  /** Where the scale ends at least: 100 for a share in percent. */
  readonly top: number;
}

export const CHART_WIDTH = 600;
export const CHART_HEIGHT = 160;

/** Drawn larger than it is shown, so that it is sharp on any screen. All lengths below are in pixels as shown. */
const DENSITY = 2;
const MARGIN = { top: 10, right: 12, bottom: 26, between: 8 };
const DIGIT_DOT = 3 / DENSITY;
const MOST_STEPS = 4;
const DASH = { on: 8, off: 6 };

/** Told from white and from black: a mail program may show either behind them. */
const GREY: Colour = [128, 128, 128];
const BLUE: Colour = [47, 129, 247];
const RED: Colour = [224, 64, 58];

/** A line with its area over time, as a PNG with a transparent ground. The points come oldest first. */
export function chart(points: readonly Measured[], options: ChartOptions): Buffer {
  const { from, to, threshold, top, gapMs } = options;
  const canvas = new Canvas(CHART_WIDTH * DENSITY, CHART_HEIGHT * DENSITY);
  const shown = points.filter(({ at }) => at >= from && at <= to);
  const scale = ticks(Math.max(top, threshold ?? 0, ...shown.map(({ value }) => value)), MOST_STEPS);
  const place = placing(scale, options);
  axes(canvas, scale, place, options);
  for (const run of runs(shown, gapMs)) {
    const spots = run.map(place.spot);
    area(canvas, spots, place.bottom);
    canvas.line(spots, 2 * DENSITY, BLUE);
  }
  if (threshold !== undefined) dashes(canvas, place.spot({ at: from, value: threshold }), place.right);
  return canvas.toPng();
}

interface Place {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly spot: (measured: Measured) => Spot;
}

function placing(scale: readonly number[], { from, to }: ChartOptions): Place {
  const widest = Math.max(...scale.map((value) => textWidth(shortNumber(value), DIGIT_DOT)));
  const left = (widest + MARGIN.between) * DENSITY;
  const right = (CHART_WIDTH - MARGIN.right) * DENSITY;
  const top = MARGIN.top * DENSITY;
  const bottom = (CHART_HEIGHT - MARGIN.bottom) * DENSITY;
  const highest = scale.at(-1) ?? 1;
  const spot = ({ at, value }: Measured): Spot => ({
    x: left + ((at - from) / (to - from)) * (right - left),
    y: bottom - (value / highest) * (bottom - top),
  });
  return { left, right, bottom, spot };
}

function axes(
  canvas: Canvas,
  scale: readonly number[],
  { left, right, bottom, spot }: Place,
  { from, to }: ChartOptions,
): void {
  const dot = DIGIT_DOT * DENSITY;
  for (const value of scale) {
    const { y } = spot({ at: from, value });
    canvas.rectangle({ x: left, y }, { width: right - left, height: 1 }, GREY, value === 0 ? 0.8 : 0.3);
    canvas.text(shortNumber(value), { x: left - MARGIN.between * DENSITY, y }, "right", dot, GREY);
  }
  for (const at of timeTicks(from, to)) {
    const { x } = spot({ at, value: 0 });
    canvas.rectangle({ x, y: bottom }, { width: 1, height: 4 * DENSITY }, GREY);
    const text = new Date(at).toISOString().slice(11, 16);
    const half = (textWidth(text, DIGIT_DOT) * DENSITY) / 2;
    const inside = Math.min(canvas.width - half, Math.max(half, x));
    canvas.text(text, { x: inside, y: bottom + 15 * DENSITY }, "middle", dot, GREY);
  }
}

/** Points that follow each other without a gap. */
function runs(points: readonly Measured[], gapMs: number): Measured[][] {
  const found: Measured[][] = [];
  for (const point of points) {
    const run = found.at(-1);
    const last = run?.at(-1);
    if (run === undefined || last === undefined || point.at - last.at > gapMs) found.push([point]);
    else run.push(point);
  }
  return found;
}

function area(canvas: Canvas, spots: readonly Spot[], bottom: number): void {
  for (const [index, to] of spots.entries()) {
    const from = spots[index - 1];
    if (from === undefined) continue;
    for (let x = Math.round(from.x); x < Math.round(to.x); x++) {
      const y = from.y + ((x + 0.5 - from.x) / (to.x - from.x)) * (to.y - from.y);
      canvas.rectangle({ x, y }, { width: 1, height: bottom - Math.round(y) }, BLUE, 0.18);
    }
  }
}

function dashes(canvas: Canvas, { x: left, y }: Spot, right: number): void {
  for (let x = left; x < right; x += (DASH.on + DASH.off) * DENSITY)
    canvas.rectangle(
      { x, y: y - DENSITY / 2 },
      { width: Math.min(DASH.on * DENSITY, right - x), height: 1.5 * DENSITY },
      RED,
    );
}
