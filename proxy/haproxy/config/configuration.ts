import type { HaproxyOptions } from "./haproxy-options.js";
import { countingTables } from "./text/counting-tables.js";
import { defaultsSections } from "./text/defaults-sections.js";
import { globalSection } from "./text/global-section.js";
import { trafficFrontend } from "./text/traffic-frontend.js";
import { wakeBackend } from "./text/wake-backend.js";

/** The part of the configuration that no release changes. Each slot has a file beside it (`slotText`). */
export function configurationText(options: HaproxyOptions): string {
  const sections = [
    globalSection(options),
    defaultsSections(options),
    trafficFrontend(options),
    countingTables(),
    wakeBackend(options),
  ];
  return `# Written by Sluice; changes made by hand are lost.\n${sections.join("\n")}`;
}
