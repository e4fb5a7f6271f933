#pragma once

#include "server/query_session.h"

namespace tidemill {

// The interactive shell on a terminal: line editing, history, completion, statements over several lines up to ';',
// commands that begin with a dot. Ctrl-C stops the statement or clears the line, Ctrl-D leaves. Returns an exit code.
int RunShell(const CommandContext& context, QuerySession& session, SignalWatch& signals);

}  // namespace tidemill
