import { defineGroup } from "./command.ts";
import { dbBackup, dbRestore } from "./db-backup.ts";
import { dbCheck } from "./db-check.ts";
import { dbCopy } from "./db-copy.ts";
import { dbMigrate } from "./db-migrate.ts";

export const dbCommands = defineGroup("db", "look after the database", [
  dbCheck,
  dbBackup,
  dbRestore,
  dbCopy,
  dbMigrate,
]);
