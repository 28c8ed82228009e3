#include <JavaScriptCore/JavaScript.h>

/// Exported by the library, declared only in WebKit's Source/JavaScriptCore/API/JSContextRefPrivate.h: `terminate` is asked when
/// `seconds` of processor time are spent in one entry to the virtual machine; true stops the script.
typedef bool (*JSShouldTerminateCallback)(JSContextRef context, void *argument);
JS_EXPORT void JSContextGroupSetExecutionTimeLimit(JSContextGroupRef group, double seconds, JSShouldTerminateCallback terminate, void *argument);
