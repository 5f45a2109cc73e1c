/**
 * Chainferry: moves MySQL and MariaDB tables between live servers.
 * @module
 */
export { errorText, FerryError, type FerryErrorOptions } from "./errors.ts";
export type {
  CallbackSettings,
  CopySettings,
  CutoverSettings,
  FenceKind,
  FerrySpec,
  FilterableColumn,
  FilterableIndex,
  FilterableTable,
  ParentLink,
  SchemaObject,
  SpecChange,
  TableSelection,
  ThrottleCheck,
  ThrottleReplica,
  ThrottleSettings,
  WhereFunction,
} from "./spec/ferry_spec.ts";
export {
  ACTIONS,
  allowedActions,
  type FerryAction,
  type FerryState,
  type Hold,
  HOLDS,
  isEnded,
  mayMove,
  STATES,
} from "./ferry/ferry_state.ts";
export { type DockOptions, openDock } from "./ferry/dock.ts";
export type { CallbackPolicy } from "./progress/callbacks.ts";
export { parseSpec, type SpecReading } from "./spec/parse_spec.ts";
export type { SpecFault } from "./spec/spec_fault.ts";
export type { Dock, Ferry, PreflightReport } from "./ferry/ferry.ts";
export type {
  Difference,
  FerryEvent,
  FerryResource,
  Finding,
  PositionResource,
  Progress,
  TableProgress,
  Verification,
} from "./progress/resource.ts";
