#include <CLI/CLI.hpp>

#include "server/command_line.h"
#include "server/version.h"

namespace tidemill {

std::string_view VersionText() { return TIDEMILL_VERSION; }

std::string_view BuildText() {
#ifdef NDEBUG
  return "GCC " __VERSION__ ", release";
#else
  return "GCC " __VERSION__ ", debug";
#endif
}

void AddVersionCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand("version", "Print the version");
  app->footer("\nExample:\n  tidemill version --output json");
  commands.push_back({app, [](CommandContext& context) {
                        if (context.options.output == OutputFormat::kText) {
                          context.console.Print("tidemill " + std::string(VersionText()) + " (" +
                                                std::string(BuildText()) + ")\n");
                        } else {
                          context.console.Print(Listing{{"version", "build"}, {{VersionText(), BuildText()}}});
                        }
                        return kExitOk;
                      }});
}

}  // namespace tidemill
