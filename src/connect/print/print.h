#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'print': every row as a line on stdout (or stderr), at once, as Flink's print connector writes it:
// "+I[1, a]", with 'print-identifier' "id> +I[1, a]", with several subtasks "id:2> +I[1, a]" or "2> +I[1, a]". After a
// crash rows may be printed again.
Connector PrintConnector();

}  // namespace tidemill
