#pragma once

#include <string>
#include <string_view>

namespace tidemill {

enum class LogLevel : int { kDebug, kInfo, kWarning, kError, kOff };

// Lines on stderr: time, level, message. Never secrets, never user data beyond names and positions. Thread-safe.
void SetLogLevel(LogLevel level);
void WriteLogLine(LogLevel level, std::string_view message);
inline void LogDebug(std::string_view m) { WriteLogLine(LogLevel::kDebug, m); }
inline void LogInfo(std::string_view m) { WriteLogLine(LogLevel::kInfo, m); }
inline void LogWarning(std::string_view m) { WriteLogLine(LogLevel::kWarning, m); }
inline void LogError(std::string_view m) { WriteLogLine(LogLevel::kError, m); }

}  // namespace tidemill
