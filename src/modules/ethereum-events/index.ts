// The module `ipdm:ethereum-events`: a table of logs, decoded by the contract ABI (docs/reference/ethereum.md).
import { Batch, Setting } from "../../sandbox/sdk/index";
import { openLogs } from "./logs";
import { openPlan } from "./plan";
import { writeEvents, writeRejected } from "./tables";
export { ipdm_abi, ipdm_alloc } from "../../sandbox/sdk/index";

export function ipdm_process(address: usize, _descriptor: usize): usize {
  const input = Batch.at(address);
  openPlan();
  openLogs(input);
  return Setting.of("rows").is("rejected") ? writeRejected(input) : writeEvents(input);
}
