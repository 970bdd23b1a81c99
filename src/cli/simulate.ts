import { defineGroup } from "./command.ts";
import { simulateCameraCommand } from "./simulate-camera.ts";
import { simulateMossosCommand } from "./simulate-mossos.ts";

export const simulateCommands = defineGroup("simulate", "play a far end: cameras, or the police", [
  simulateCameraCommand,
  simulateMossosCommand,
]);
