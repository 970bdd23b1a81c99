import { expect, test } from "bun:test";
import { routesInUse } from "../src/status-report.ts";
import type { RouteState } from "../src/store/store.ts";

const state = (endpointId: number, certificateId: number): RouteState => ({
  endpointId,
  certificateId,
  pausedUntil: new Date(0),
  pauseKind: "misconfigured",
  detail: "FailedAuthentication",
  pauses: 1,
  lastAcceptedAt: null,
  clockOffsetMs: null,
  latencyMs: null,
  mendedAt: null,
  triedAt: null,
});

test.each([
  ["the whole endpoint", 1, 0, true],
  ["the municipality's certificate at its endpoint", 1, 12, true],
  ["a certificate that was replaced", 1, 11, false],
  ["an endpoint that no one is sent to", 3, 0, false],
  ["the municipality's certificate at its camera's own endpoint", 2, 12, true],
  ["a camera's own endpoint", 2, 0, true],
  ["the configured default of a municipality without an endpoint", 0, 0, true],
  ["a certificate at an endpoint that its municipality does not use", 2, 13, false],
])("%s is in use: %d/%d %p", (_what, endpointId, certificateId, expected) => {
  const municipalities = [
    { id: 1, endpointId: 1, certificateId: 12 },
    { id: 2, endpointId: null, certificateId: 13 },
  ];
  const cameras = [
    { municipalityId: 1, endpointId: null },
    { municipalityId: 1, endpointId: 2 },
  ];
  const one = state(endpointId, certificateId);
  expect(routesInUse([one], cameras, municipalities)).toEqual(expected ? [one] : []);
});
