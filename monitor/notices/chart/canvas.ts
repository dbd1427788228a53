import { PNG } from "pngjs";
import { DIGIT_HEIGHT, DIGIT_WIDTH, DIGITS } from "./digits.js";

export type Colour = readonly [red: number, green: number, blue: number];

export interface Spot {
  readonly x: number;
  readonly y: number;
}

/** A picture to draw on, transparent at first; in pixels, from the top left corner. */
export class Canvas {
  private readonly png: PNG;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.png = new PNG({ width, height });
    this.png.data.fill(0);
  }

  rectangle(
    { x, y }: Spot,
    { width, height }: { width: number; height: number },
    colour: Colour,
    opacity = 1,
  ): void {
    const [left, top, right, bottom] = [x, y, x + width, y + height].map(Math.round) as Box;
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++) this.dot(column, row, colour, opacity);
  }

  /** Joined by straight lines, with soft edges. */
  line(spots: readonly Spot[], thickness: number, colour: Colour): void {
    const coverage = new Map<number, number>();
    for (const [index, to] of spots.entries())
      this.cover(spots[index - 1] ?? to, to, thickness / 2, coverage);
    for (const [at, opacity] of coverage)
      this.dot(at % this.width, Math.floor(at / this.width), colour, opacity);
  }

  /** `y` is its middle; `x` its right end, or its middle. `scale`: pixels of a sign's dot. */
  text(text: string, { x, y }: Spot, align: "right" | "middle", scale: number, colour: Colour): void {
    const width = textWidth(text, scale);
    const left = Math.round(align === "right" ? x - width : x - width / 2);
    const top = Math.round(y - (DIGIT_HEIGHT * scale) / 2);
    for (const [index, sign] of Array.from(text).entries())
      this.sign(sign, { x: left + index * (DIGIT_WIDTH + 1) * scale, y: top }, scale, colour);
  }

  toPng(): Buffer {
    return PNG.sync.write(this.png);
  }

  private sign(sign: string, { x, y }: Spot, scale: number, colour: Colour): void {
    for (const [row, bits] of (DIGITS[sign] ?? []).entries())
      for (let column = 0; column < DIGIT_WIDTH; column++) {
        if (((bits >> (DIGIT_WIDTH - 1 - column)) & 1) === 0) continue;
        const spot = { x: x + column * scale, y: y + row * scale };
        this.rectangle(spot, { width: scale, height: scale }, colour);
      }
  }

  /** How much of each pixel a stroke covers, where that is more than before. */
  private cover(from: Spot, to: Spot, radius: number, coverage: Map<number, number>): void {
    const reach = radius + 1;
    const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
    const right = Math.min(this.width - 1, Math.ceil(Math.max(from.x, to.x) + reach));
    const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
    const bottom = Math.min(this.height - 1, Math.ceil(Math.max(from.y, to.y) + reach));
    for (let y = top; y <= bottom; y++)
      for (let x = left; x <= right; x++) {
        const share = radius + 0.5 - distance({ x: x + 0.5, y: y + 0.5 }, from, to);
        const at = y * this.width + x;
        if (share > (coverage.get(at) ?? 0)) coverage.set(at, Math.min(1, share));
      }
  }

  private dot(x: number, y: number, colour: Colour, opacity: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const { data } = this.png;
    const at = (y * this.width + x) * 4;
    const below = ((data[at + 3] ?? 0) / 255) * (1 - opacity);
    const whole = opacity + below;
    for (const [index, value] of colour.entries())
      data[at + index] = Math.round((value * opacity + (data[at + index] ?? 0) * below) / whole);
    data[at + 3] = Math.round(whole * 255);
  }
}

export function textWidth(text: string, scale: number): number {
  return (text.length * (DIGIT_WIDTH + 1) - 1) * scale;
}

type Box = [left: number, top: number, right: number, bottom: number];

/** Of a spot from a stroke. */
function distance({ x, y }: Spot, from: Spot, to: Spot): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
}
