import { leadsWhoAsks } from "./proxy/asking.js";
import { countsWhatIsOpen, lettingOpenOnesEnd, tellsWhatLeaves } from "./proxy/draining.js";
import { countsGoals } from "./proxy/goals.js";
import { countsWhatVisitorsMet } from "./proxy/met.js";
import { ProxyTrial, type StartProxy } from "./proxy/proxy-trial.js";
import { doesWithoutDeadServers } from "./proxy/servers.js";
import { keepsVisitors } from "./proxy/sessions.js";
import { leadsHosts } from "./proxy/hosts.js";
import { splitsVisitors } from "./proxy/splits.js";
import { switchesAtOnce } from "./proxy/switching.js";

/** What every driver of `proxy/proxy.ts` does, seen from a visitor's side. */
export function proxyContract(name: string, start: StartProxy): void {
  describe(`${name}, as a proxy`, function () {
    this.timeout(30_000);
    const trial = new ProxyTrial(start);
    beforeEach(async () => trial.begin());
    afterEach(async () => trial.end());
    describe("hosts", () => leadsHosts(trial));
    describe("switching", () => switchesAtOnce(trial));
    describe("sticky visitors", () => keepsVisitors(trial));
    describe("a split track", () => splitsVisitors(trial));
    describe("who asks", () => leadsWhoAsks(trial));
    describe("goals", () => countsGoals(trial));
    describe("what visitors met", () => countsWhatVisitorsMet(trial));
    describe("what is open", () => lettingOpenOnesEnd(trial));
    describe("loads", () => countsWhatIsOpen(trial));
    describe("servers that leave", () => tellsWhatLeaves(trial));
    describe("servers", () => doesWithoutDeadServers(trial));
  });
}
