import { describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { MAX_SESSIONS_PER_TOKEN, type NewApiToken } from "../../src/store/tokens.ts";
import { after, type OpenStore, START } from "../support/store-fixture.ts";

/** Thirty-two bytes that differ for every number. */
function hash(number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function newToken(name: string, number: number, change: Partial<NewApiToken> = {}): NewApiToken {
  return { name, role: "operator", hash: hash(number), createdAt: START, expiresAt: null, ...change };
}

export function describeTokens(name: string, open: OpenStore): void {
  describe(`${name}: tokens`, () => {
    test("finds a token by its hash alone, also after a restart", async () => {
      await using under = await open();
      const id = await under.store.addToken(newToken("Marta", 1, { role: "admin" }));
      await under.reopen();
      const token = { id, name: "Marta", role: "admin", createdAt: START, expiresAt: null, lastUsedAt: null } as const;
      expect(await under.store.findToken(hash(1), after(1))).toEqual(token);
      expect(await under.store.findToken(hash(2), after(1))).toBeNull();
      await under.store.touchToken(id, after(5));
      expect(await under.store.listTokens()).toEqual([{ ...token, lastUsedAt: after(5) }]);
    });

    test("refuses a second token of one name, whatever its case", async () => {
      await using under = await open();
      await under.store.addToken(newToken("Òscar", 1));
      const second = under.store.addToken(newToken("òSCAR", 2));
      expect(await second.catch((error: unknown) => error instanceof AppError && error.code)).toBe("conflict");
      expect(await under.store.listTokens()).toHaveLength(1);
    });

    test("a token and its sessions end at their time", async () => {
      await using under = await open();
      const { store } = under;
      const tokenId = await store.addToken(newToken("guest", 1, { expiresAt: after(1000) }));
      await store.addSession({ hash: hash(10), tokenId, expiresAt: after(5000) }, START);
      await store.addSession({ hash: hash(11), tokenId, expiresAt: after(500) }, START);
      expect((await store.findToken(hash(1), after(999)))?.name).toBe("guest");
      expect(await store.findToken(hash(1), after(1000))).toBeNull();
      expect(await store.findSession(hash(10), after(999))).toMatchObject({
        token: { name: "guest" },
        endsAt: after(1000),
      });
      expect(await store.findSession(hash(10), after(1000))).toBeNull();
      expect(await store.findSession(hash(11), after(499))).toMatchObject({
        token: { name: "guest" },
        endsAt: after(500),
      });
      expect(await store.findSession(hash(11), after(500))).toBeNull();
      expect(await store.listTokens()).toHaveLength(1);
    });

    test("a revoked token ends with all its sessions, and no other's", async () => {
      await using under = await open();
      const { store } = under;
      const gone = await store.addToken(newToken("gone", 1));
      const kept = await store.addToken(newToken("kept", 2));
      await store.addSession({ hash: hash(10), tokenId: gone, expiresAt: after(5000) }, START);
      await store.addSession({ hash: hash(20), tokenId: kept, expiresAt: after(5000) }, START);
      expect(await store.removeToken(gone)).toBe(true);
      expect(await store.removeToken(gone)).toBe(false);
      expect(await store.findToken(hash(1), after(1))).toBeNull();
      expect(await store.findSession(hash(10), after(1))).toBeNull();
      expect((await store.findSession(hash(20), after(1)))?.token.name).toBe("kept");
      // A name that is free again is another token.
      expect(await store.addToken(newToken("gone", 3))).not.toBe(gone);
      expect(await store.findToken(hash(1), after(1))).toBeNull();
    });

    test("logging out ends one session", async () => {
      await using under = await open();
      const { store } = under;
      const tokenId = await store.addToken(newToken("Marta", 1));
      await store.addSession({ hash: hash(10), tokenId, expiresAt: after(5000) }, START);
      await store.addSession({ hash: hash(11), tokenId, expiresAt: after(5000) }, START);
      await store.removeSession(hash(10));
      expect(await store.findSession(hash(10), after(1))).toBeNull();
      expect(await store.findSession(hash(11), after(1))).not.toBeNull();
    });

    test("keeps a bounded number of sessions of one token: the one that ends first goes", async () => {
      await using under = await open();
      const { store } = under;
      const tokenId = await store.addToken(newToken("Marta", 1));
      for (let n = 0; n <= MAX_SESSIONS_PER_TOKEN; n++) {
        await store.addSession({ hash: hash(10 + n), tokenId, expiresAt: after(5000 + n) }, START);
      }
      expect(await store.findSession(hash(10), after(1))).toBeNull();
      expect(await store.findSession(hash(11), after(1))).not.toBeNull();
      expect(await store.findSession(hash(10 + MAX_SESSIONS_PER_TOKEN), after(1))).not.toBeNull();
    });
  });
}
