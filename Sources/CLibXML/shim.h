// Without the converter types of another ICU than Foundation's.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

/// xmlFree is a variable, which Swift takes for shared state.
static inline void aias_xml_free(void *memory) { xmlFree(memory); }
