/** What the holder of a token may do. viewer: sees how everything is, no plate and no picture. operator: sees messages with plate and picture, retries and discards. admin: everything. */
export const TOKEN_ROLES = ["viewer", "operator", "admin"] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** Who may use the API. The token itself is known to its holder only: the store has its hash. */
export interface ApiToken {
  id: number;
  /** Unique whatever its case; stands in the audit log as who did it. */
  name: string;
  role: TokenRole;
  createdAt: Date;
  /** Null: until it is revoked. */
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

export interface NewApiToken extends Pick<ApiToken, "name" | "role" | "createdAt" | "expiresAt"> {
  /** SHA-256 of the token. */
  hash: Uint8Array;
}

/** A browser that logged in with a token. */
export interface NewSession {
  /** SHA-256 of the cookie. */
  hash: Uint8Array;
  tokenId: number;
  expiresAt: Date;
}

/** Sessions of one token; with one more the one that ends first goes. */
export const MAX_SESSIONS_PER_TOKEN = 20;

/** Tokens of the API and sessions of the dashboard; every method one whole transaction. */
export interface TokenStore {
  /** @returns its id. @throws AppError `conflict` when a token of that name is there */
  addToken(value: NewApiToken): Promise<number>;
  /** By id; those whose time is over too. */
  listTokens(): Promise<readonly ApiToken[]>;
  /** Null: unknown, revoked, or its time is over. */
  findToken(hash: Uint8Array, now: Date): Promise<ApiToken | null>;
  /** Notes that it was used. */
  touchToken(id: number, at: Date): Promise<void>;
  /** Revokes it; its sessions end with it. @returns false when there is none of that id */
  removeToken(id: number): Promise<boolean>;
  /** Opens a session and forgets those that are over. */
  addSession(value: NewSession, now: Date): Promise<void>;
  /** The token of a session and when the session ends; null: unknown, over, or the token is. */
  findSession(hash: Uint8Array, now: Date): Promise<{ token: ApiToken; endsAt: Date } | null>;
  removeSession(hash: Uint8Array): Promise<void>;
}
