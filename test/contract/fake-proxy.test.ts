import { FakeProxy } from "../support/fake-proxy.js";
import { proxyContract } from "./proxy-contract.js";

proxyContract("FakeProxy", async () => FakeProxy.start());
