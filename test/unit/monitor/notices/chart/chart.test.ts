import { expect } from "chai";
import { PNG } from "pngjs";
import { chart, type ChartOptions } from "../../../../../monitor/notices/chart/chart.js";
import type { Measured } from "../../../../../monitor/rules/evaluate-rule.js";

const FROM = Date.parse("2026-01-31T10:15:00Z");
const TO = FROM + 900_000;
const OPTIONS: ChartOptions = { from: FROM, to: TO, gapMs: 15_000, threshold: undefined, top: 100 };
/** Where the scale of 0 to 100 lies, in pixels. */
const [TOP, BOTTOM, LEFT, RIGHT] = [20, 268, 67, 1176];

type Pixel = "blue" | "red" | "area" | "other";

describe("a chart", () => {
  it("is twice as large as it is shown, transparent, and small enough for a mail", () => {
    const png = drawn(steady(50), OPTIONS);
    expect([png.width, png.height]).to.deep.equal([1200, 320]);
    expect(rgba(png, 600, 5)[3]).to.equal(0);
    expect(chart(steady(50), OPTIONS).length).to.be.below(40_000);
  });

  it("draws the value where the scale says, with its area beneath", () => {
    for (const value of [10, 50, 90]) {
      const png = drawn(steady(value), OPTIONS);
      const y = Math.round(BOTTOM - (value / 100) * (BOTTOM - TOP));
      for (const x of [200, 600, 1000]) {
        expect(pixel(png, x, y), `${value} at ${x}`).to.equal("blue");
        expect(pixel(png, x, y + 8), `below ${value} at ${x}`).to.equal("area");
        expect(pixel(png, x, y - 8), `above ${value} at ${x}`).to.equal("other");
      }
    }
  });

  it("draws time from the left to the right", () => {
    const rising = steady(0).map(({ at }) => ({ at, value: ((at - FROM) / 900_000) * 100 }));
    const png = drawn(rising, OPTIONS);
    for (const share of [0.25, 0.5, 0.75])
      expect(pixel(png, LEFT + share * (RIGHT - LEFT), BOTTOM - share * (BOTTOM - TOP))).to.equal("blue");
  });

  it("leaves out the time without figures", () => {
    const png = drawn(
      steady(50).filter(({ at }) => at < FROM + 300_000 || at > FROM + 600_000),
      OPTIONS,
    );
    const middle = (LEFT + RIGHT) / 2;
    expect(column(png, middle)).not.to.include("blue").and.not.to.include("area");
    expect(column(png, 300)).to.include("blue");
  });

  it("draws the threshold as a dashed line", () => {
    const png = drawn(steady(10), { ...OPTIONS, threshold: 75 });
    const row = Array.from({ length: RIGHT - LEFT }, (_, x) => pixel(png, LEFT + x, 82));
    const share = row.filter((each) => each === "red").length / row.length;
    expect(share).to.be.within(0.5, 0.65);
  });

  it("scales to what is there where nothing says how much there can be", () => {
    const png = drawn(steady(800), { ...OPTIONS, top: 0 });
    expect(pixel(png, 600, TOP)).to.equal("blue");
    expect(pixel(drawn(steady(800), OPTIONS), 600, TOP)).to.equal("blue");
  });

  it("writes the values and the times beside its axes", () => {
    const png = drawn([], OPTIONS);
    for (const y of [20, 82, 144, 206, 268]) expect(signs(png, 0, y - 12, 70, y + 12)).to.be.above(50);
    for (const at of [0, 5, 10, 15]) {
      const x = LEFT + (at / 15) * (RIGHT - LEFT);
      expect(signs(png, x - 30, BOTTOM + 16, x + 30, 319), `${at} min`).to.be.above(200);
    }
  });

  it("is drawn of one point, of none, and of values that the scale does not reach", () => {
    expect(() => chart([{ at: TO, value: 5 }], OPTIONS)).not.to.throw();
    expect(() => chart([{ at: TO + 1, value: 5 }], OPTIONS)).not.to.throw();
    expect(() => chart(steady(0), { ...OPTIONS, top: 0, threshold: 0 })).not.to.throw();
  });
});

function drawn(points: readonly Measured[], options: ChartOptions): PNG {
  return PNG.sync.read(chart(points, options));
}

function steady(value: number): Measured[] {
  return Array.from({ length: 181 }, (_, index) => ({ at: FROM + index * 5000, value }));
}

function rgba(png: PNG, x: number, y: number): [number, number, number, number] {
  const { data, width } = png;
  const at = (Math.round(y) * width + Math.round(x)) * 4;
  return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0, data[at + 3] ?? 0];
}

function pixel(png: PNG, x: number, y: number): Pixel {
  const [red, , blue, alpha] = rgba(png, x, y);
  if (red > 180 && blue < 100 && alpha > 200) return "red";
  if (blue > 180 && red < 100) return alpha > 200 ? "blue" : "area";
  return "other";
}

function column(png: PNG, x: number): Pixel[] {
  return Array.from({ length: BOTTOM - TOP }, (_, y) => pixel(png, x, TOP + y));
}

/** Pixels of the digits' grey. */
function signs(png: PNG, left: number, top: number, right: number, bottom: number): number {
  const { data, width } = png;
  let count = 0;
  for (let y = Math.round(top); y < bottom; y++)
    for (let x = Math.max(0, Math.round(left)); x < Math.min(width, right); x++)
      if ((data[(y * width + x) * 4 + 3] ?? 0) === 255) count++;
  return count;
}
