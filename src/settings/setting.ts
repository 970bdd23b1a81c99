import type { SettingKind } from "../setting-kinds.ts";

/** One variable an operator may set. */
export interface Setting<T> {
  name: string;
  /** Other names that mean the same; `name` wins where both are given. */
  aliases: readonly string[];
  group: SettingGroup;
  kind: SettingKind<T>;
  default: T;
  /** What stands for a default that is worked out, such as a folder below DATA_DIR. */
  defaultText: string | undefined;
  /** True when the replaced system knew the name: it keeps its meaning. */
  legacy: boolean;
  description: string;
}

/** In the order of the documents. */
export const SETTING_GROUPS = [
  "Folders",
  "Database",
  "Object store",
  "Cameras",
  "Police",
  "Sender",
  "Quarantine and disk",
  "Lector Vision",
  "API",
  "Log",
  "Menu",
] as const;
export type SettingGroup = (typeof SETTING_GROUPS)[number];

interface Extras {
  aliases?: readonly string[];
  defaultText?: string;
  legacy?: true;
}

/** @param fallback the value when nothing is given */
export function setting<T>(
  group: SettingGroup,
  name: string,
  kind: SettingKind<T>,
  fallback: NoInfer<T>,
  description: string,
  { aliases = [], defaultText, legacy = undefined }: Extras = {},
): Setting<T> {
  return { name, aliases, group, kind, default: fallback, defaultText, legacy: legacy === true, description };
}
