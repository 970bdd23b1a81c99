import { expect, test } from "bun:test";
import { createAccess } from "../../src/api/access.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { ApiToken } from "../../src/store/tokens.ts";

const TOKEN: ApiToken = {
  id: 1,
  name: "Marta",
  role: "viewer",
  createdAt: new Date(),
  expiresAt: null,
  lastUsedAt: null,
};

test("a disk that is full keeps nobody from looking: the use of a token is only for the eyes", async () => {
  let asked = 0;
  const access = createAccess({
    store: {
      findToken: async () => TOKEN,
      findSession: async () => null,
      touchToken: async () => {
        asked += 1;
        throw new Error("SQLITE_FULL");
      },
    },
    clock: systemClock,
    log: silentLog,
  });
  const headers = { authorization: `Bearer tat_${"A".repeat(43)}` };
  const request = new Request("http://127.0.0.1/api/v1/status", { headers });
  expect(await access.identify(request, "127.0.0.1")).toEqual({ token: TOKEN, via: "token", endsAt: null });
  expect(asked).toBe(1);
});
