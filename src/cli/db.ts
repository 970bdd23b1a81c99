import { defineGroup } from "./command.ts";
import { dbMigrate } from "./db-migrate.ts";

export const dbCommands = defineGroup("db", "look after the database", [dbMigrate]);
