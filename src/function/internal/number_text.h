#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// Numbers and truth values as text, by the rules that CAST has in Flink (which are Java's).

// Without the characters up to U+0020 on both ends.
std::string_view TrimBlanks(std::string_view text);

// "12", " -7 ", "3.9" (-> 3: a fraction is cut off); false when malformed or outside [min, max].
bool ParseInteger(std::string_view text, int64_t min, int64_t max, int64_t& out);
// As Double.parseDouble: blanks around, "NaN", "Infinity", a type suffix d or f.
bool ParseFloating(std::string_view text, double& out);
bool ParseFloating(std::string_view text, float& out);
// t true y yes 1 / f false n no 0, in any case.
bool ParseBoolean(std::string_view text, bool& out);

void AppendInteger(int64_t value, std::string& out);
// As Double.toString, with the shortest digits that read back the same: "1.0", "1.0E10", "NaN".
void AppendFloating(double value, std::string& out);
void AppendFloating(float value, std::string& out);

}  // namespace tidemill
