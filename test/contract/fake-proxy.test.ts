import { FakeProxy } from "../support/fakes/fake-proxy.js";
import { proxyContract } from "./proxy-contract.js";

proxyContract("FakeProxy", async () => FakeProxy.start());
