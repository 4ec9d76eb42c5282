#include "connectors/opcua/src/condition_methods.hpp"

#include <open62541/nodeids.h>

#include <algorithm>
#include <array>

namespace tributary::connectors::opcua {
namespace {

using enum ConditionMethod::Takes;

constexpr auto kMethods = std::to_array<ConditionMethod>({
    {"acknowledge", UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_ACKNOWLEDGE, kEventAndComment, false,
     "acknowledged"},
    {"confirm", UA_NS0ID_ACKNOWLEDGEABLECONDITIONTYPE_CONFIRM, kEventAndComment, false,
     "confirmed"},
    {"addComment", UA_NS0ID_CONDITIONTYPE_ADDCOMMENT, kEventAndComment},
    {"enable", UA_NS0ID_CONDITIONTYPE_ENABLE},
    {"disable", UA_NS0ID_CONDITIONTYPE_DISABLE},
    {"timedShelve", UA_NS0ID_SHELVEDSTATEMACHINETYPE_TIMEDSHELVE, kDuration, true},
    {"oneShotShelve", UA_NS0ID_SHELVEDSTATEMACHINETYPE_ONESHOTSHELVE, kNothing, true},
    {"unshelve", UA_NS0ID_SHELVEDSTATEMACHINETYPE_UNSHELVE, kNothing, true},
    {"suppress", UA_NS0ID_ALARMCONDITIONTYPE_SUPPRESS},
    {"unsuppress", UA_NS0ID_ALARMCONDITIONTYPE_UNSUPPRESS},
    {"removeFromService", UA_NS0ID_ALARMCONDITIONTYPE_REMOVEFROMSERVICE},
    {"placeInService", UA_NS0ID_ALARMCONDITIONTYPE_PLACEINSERVICE},
    {"silence", UA_NS0ID_ALARMCONDITIONTYPE_SILENCE},
    {"reset", UA_NS0ID_ALARMCONDITIONTYPE_RESET},
    {"respond", UA_NS0ID_DIALOGCONDITIONTYPE_RESPOND, kResponse},
});

}  // namespace

const ConditionMethod& condition_method(std::string_view operation) {
  return *std::ranges::find(kMethods, operation, &ConditionMethod::operation);
}

}  // namespace tributary::connectors::opcua
