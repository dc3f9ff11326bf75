// SPDX-License-Identifier: Apache-2.0
#include "cli/run_report.h"

#include "base/text.h"
#include "cli/messages.h"

namespace sockeye {

void say_what_is_missing(const Object& object) {
  for (const Limitation& limitation : object.plan().limitations()) say(limitation.sentence());
}

void say_what_found_no_room(const kernel_counters& counters) {
  if (counters.listeners_left_out > 0) {
    say("no room for " + counted(counters.listeners_left_out, "listener") +
        ": their new connections have no owner until they are used, and full accept queues of theirs may be missing");
  }
  if (counters.processes_untracked > 0) {
    say("no room for " + with_thousands(counters.processes_untracked) + " processes with sockets" +
        ": they may be shown as owners when they have ended");
  }
}

void say_totals(const RunTotals& totals, const std::string& what) {
  std::string line = counted(totals.delivered, what) + ", " + with_thousands(totals.losses.events()) + " lost";
  for (size_t i = 0; i < kLossReasons; ++i) {
    if (totals.losses.count[i] == 0) continue;
    const LossName name = name_of(static_cast<LossReason>(i));
    line +=
        ", " + with_thousands(totals.losses.count[i]) + " " + std::string(name.stage) + "/" + std::string(name.reason);
  }
  if (totals.filtered > 0) line += ", " + with_thousands(totals.filtered) + " left out by a filter here";
  if (totals.late > 0) line += ", " + with_thousands(totals.late) + " late";
  say(line);
  if (totals.table_full > 0) {
    say(counted(totals.table_full, "event") +
        " into CLOSE may have left TIME_WAIT behind: the TIME_WAIT table was full (TCPTimeWaitOverflow)");
  }
  say_left_out(totals, what);
}

bool could_not_write(const RunTotals& totals) { return totals.unwritten > 0; }

void say_left_out(const RunTotals& totals, const std::string& what) {
  if (totals.without_role > 0) {
    say("--direction left out " + counted(totals.without_role, what) +
        " of connections that nobody knows the opener of");
  }
  if (totals.anomalies > 0) {
    say(counted(totals.anomalies, "counter") +
        " did not fit together: 0 was taken for the difference, or it was left out");
  }
}

}  // namespace sockeye
