/** Put in by scripts/build.sh with --define; not there when run from source. */
declare const TATTILE_VERSION: string | undefined;
declare const TATTILE_COMMIT: string | undefined;

/** As in package.json; `0.0.0-source` when run from source. */
export const version: string = typeof TATTILE_VERSION === "string" ? TATTILE_VERSION : "0.0.0-source";

/** The commit it was built from, with `+` behind it when files had been changed; `unknown` when there was no repository. */
export const commit: string = typeof TATTILE_COMMIT === "string" ? TATTILE_COMMIT : "unknown";
