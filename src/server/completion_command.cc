#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/command_line.h"
#include "server/errors.h"

namespace tidemill {
namespace {

std::vector<const CLI::App*> Subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string OptionWords(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += " --" + name;
  }
  return words;
}

// One line of the case: the words that may follow a command.
void AppendCases(const CLI::App& app, const std::string& path, const std::string& globals, std::string& out) {
  std::string words;
  for (const CLI::App* sub : Subcommands(app)) words += " " + sub->get_name();
  out += fmt::format("    \"{}\") words=\"{}{}{}\" ;;\n", path, words, OptionWords(app), path.empty() ? "" : globals);
  for (const CLI::App* sub : Subcommands(app))
    AppendCases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), globals, out);
}

std::string BashScript(const CLI::App& root) {
  std::string groups;
  for (const CLI::App* sub : Subcommands(root)) {
    if (!Subcommands(*sub).empty()) groups += " " + sub->get_name();
  }
  std::string out =
      "# bash completion of tidemill: source it, or put it into /etc/bash_completion.d/\n"
      "_tidemill() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"${COMP_WORDS[i]}\" in\n"
      "      --data-dir|--server|--output|-D|-X) ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) if [ -z \"$path\" ]; then path=\"${COMP_WORDS[i]}\"\n"
      "         elif [[ \"" +
      groups +
      " \" == *\" $path \"* ]]; then path=\"$path ${COMP_WORDS[i]}\"; fi ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  AppendCases(root, "", OptionWords(root), out);
  out +=
      "  esac\n"
      "  if [[ \"$word\" == -* || -z \"$path\" || \"" +
      groups +
      " \" == *\" $path \"* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
      "  fi\n"
      "}\n"
      "complete -o filenames -F _tidemill tidemill\n";
  return out;
}

}  // namespace

void AddCompletionCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand("completion", "Print a completion script for a shell");
  auto shell = std::make_shared<std::string>("bash");
  app->add_option("SHELL", *shell, "bash")->capture_default_str();
  app->footer("\nExample:\n  source <(tidemill completion bash)");
  commands.push_back({app, [shell, root = &parent](CommandContext& context) {
                        if (*shell != "bash")
                          return context.Fail(
                              Status(kUsage, fmt::format("completion for '{}' is not there, only for bash", *shell)));
                        context.console.Print(BashScript(*root));
                        return kExitOk;
                      }});
}

}  // namespace tidemill
