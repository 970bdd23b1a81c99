import { CAMERAS_SETTINGS } from "./settings/cameras.ts";
import { DELIVERY_SETTINGS } from "./settings/delivery.ts";
import type { Setting } from "./settings/setting.ts";
import { STORAGE_SETTINGS } from "./settings/storage.ts";
import { UPKEEP_SETTINGS } from "./settings/upkeep.ts";

/** The one table of settings: what loads the configuration, writes the documents and suggests names reads this. */
export const SETTINGS = { ...STORAGE_SETTINGS, ...CAMERAS_SETTINGS, ...DELIVERY_SETTINGS, ...UPKEEP_SETTINGS };

export type SettingKey = keyof typeof SETTINGS;
/** The validated value of each setting. */
export type SettingValues = { [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** Every setting, as the documents need it, whatever the type of its value. */
export function listSettings(): readonly Setting<unknown>[] {
  return Object.values(SETTINGS);
}
