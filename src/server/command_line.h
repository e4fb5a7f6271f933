#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/console.h"

namespace CLI {
class App;
}

namespace tidemill {

// The whole program: parses `argv`, runs one command, returns its exit code. Catches nothing but wrong usage: errors
// travel as Status.
int RunCommandLine(int argc, const char* const* argv);

// One command: where it hangs in the tree of commands, and what it does.
struct Command {
  CLI::App* app;
  std::function<int(CommandContext&)> run;
};
using CommandList = std::vector<Command>;

// One file a command; each adds its options and itself. The explicit list is in command_line.cc.
void AddRunCommand(CLI::App& parent, CommandList& commands);
void AddCheckCommand(CLI::App& parent, CommandList& commands);
void AddExplainCommand(CLI::App& parent, CommandList& commands);
void AddSqlCommand(CLI::App& parent, CommandList& commands);
void AddTopicCommands(CLI::App& parent, CommandList& commands);
void AddGroupCommands(CLI::App& parent, CommandList& commands);
void AddSchemaCommands(CLI::App& parent, CommandList& commands);
void AddDlqCommands(CLI::App& parent, CommandList& commands);
void AddFeatureCommands(CLI::App& parent, CommandList& commands);
void AddServeCommand(CLI::App& parent, CommandList& commands);
void AddVersionCommand(CLI::App& parent, CommandList& commands);
void AddCompletionCommand(CLI::App& parent, CommandList& commands);

}  // namespace tidemill
