// Versions, drafts, documents that travel, runs again, and what outlives a restart.
#include <thread>

#include "engine_support.hpp"
#include "orchestrate/usage.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kManual =
    R"({"name": "by hand", "enabled": true, "labels": {"site": "izmir"}, "nodes": [{"id": "t", "type": "trigger.manual"},
  {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}"}}},
  {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})";

class DraftTest : public EngineTest {
 protected:
  DraftTest() { id_ = created(kManual).row.id; }

  Outcome<PipelineView> patch(std::string_view text) {
    const Json document = json(text);
    return control([&] { return engine_->update(id_, document, 0, Actor{"tester"}, false); });
  }
  Result<DraftView> save(const Json& body, std::int64_t version = 0) {
    return control([&] { return engine_->save_draft(id_, body, version, Actor{"ada"}, false); });
  }
  Outcome<PipelineView> deploy(std::int64_t version = 0, bool force = false, bool dry_run = false) {
    return control([&] { return engine_->deploy(id_, version, force, Actor{"ada"}, dry_run); });
  }
  Json changed_body() {
    Json body = json(kManual);
    body.insert_or_assign("name", "new name");
    body.at("nodes")[1].at("settings").at("fields").insert_or_assign("c", 7);
    return body;
  }
  Result<store::RunRow> run(std::string_view input) {
    return control([&] { return engine_->run(id_, json(input), Actor{}); });
  }
  Json written() { return port_->calls.back().parameters.at("payload"); }

  std::string id_;
};

TEST_F(DraftTest, ADraftDoesNotTouchWhatRunsUntilItIsDeployed) {
  const auto saved = save(changed_body());
  ASSERT_TRUE(saved.has_value()) << saved.error().message;
  EXPECT_EQ(saved->row.version, 1);
  EXPECT_EQ(saved->row.base_version, 1);
  EXPECT_TRUE(saved->findings.problems.empty());
  ASSERT_TRUE(run(R"({"a": 1})").has_value());
  EXPECT_FALSE(written().contains("c"));
  EXPECT_EQ(view(id_).row.version, 1);
  ASSERT_TRUE(view(id_).draft);

  EXPECT_EQ(deploy(0, false, true)->row.version, 2) << "a dry run answers what would be";
  EXPECT_EQ(view(id_).row.version, 1);
  const auto deployed = deploy(1);
  ASSERT_TRUE(deployed.has_value());
  EXPECT_EQ(deployed->row.version, 2);
  EXPECT_EQ(deployed->row.name, "new name");
  EXPECT_EQ(deployed->status, "running");
  EXPECT_FALSE(deployed->draft);
  ASSERT_TRUE(run(R"({"a": 1})").has_value());
  EXPECT_EQ(get_int(written(), "c", 0), 7);
  EXPECT_EQ(error_code(deploy().error()), "no_draft");
}

TEST_F(DraftTest, ADraftMayBeWrongAndADeployMayNot) {
  Json body = changed_body();
  body.at("nodes")[2].at("settings").insert_or_assign("functionId", "gone");
  const auto saved = save(body);
  ASSERT_TRUE(saved.has_value());
  ASSERT_EQ(saved->findings.problems.size(), 1u);
  EXPECT_EQ(saved->findings.problems[0].pointer, "/nodes/2/settings/functionId");
  EXPECT_EQ(error_code(deploy().error()), "/nodes/2/settings/functionId unknown_function");
  EXPECT_EQ(view(id_).row.version, 1);
  EXPECT_TRUE(view(id_).draft) << "a draft that cannot be deployed stays";
  ASSERT_TRUE(save(json(R"({"anything": [1, 2]})")).has_value());
}

TEST_F(DraftTest, TwoEditorsOfADraftDoNotOverwriteEachOther) {
  ASSERT_TRUE(save(changed_body(), 1).has_value()) << "the version of the pipeline it begins on";
  EXPECT_EQ(save(changed_body(), 1)->row.version, 2);
  EXPECT_EQ(save(changed_body(), 1).error().code, "version_conflict");
  EXPECT_EQ(error_code(deploy(1).error()), "version_conflict");
  const auto drop = [&](std::int64_t version) {
    auto dropped = control([&] { return engine_->drop_draft(id_, version, false); });
    return dropped ? std::string() : dropped.error().code;
  };
  EXPECT_EQ(drop(1), "version_conflict");
  EXPECT_EQ(drop(2), "");
  EXPECT_EQ(drop(0), "no_draft");
  EXPECT_EQ(save(changed_body())->row.version, 3) << "numbers are not used again";
}

TEST_F(DraftTest, ADraftOfAnOldVersionIsNotDeployedOverANewerOne) {
  ASSERT_TRUE(save(changed_body()).has_value());
  ASSERT_TRUE(patch(R"({"description": "somebody else was here"})").has_value());
  EXPECT_EQ(error_code(deploy().error()), "draft_outdated");
  EXPECT_EQ(deploy(0, true)->row.version, 3);
}

TEST_F(DraftTest, ADraftOutlivesARestart) {
  ASSERT_TRUE(save(changed_body()).has_value());
  close();
  open();
  const auto draft = ask([&] { return engine_->draft(id_); });
  ASSERT_TRUE(draft);
  EXPECT_EQ(get_string(draft->row.document, "name"), "new name");
  EXPECT_EQ(draft->row.actor, "ada");
}

TEST_F(DraftTest, ADraftThatSaysNothingAboutItLeavesThePipelineEnabled) {
  Json body = changed_body();
  body.erase("enabled");
  ASSERT_TRUE(save(body).has_value());
  EXPECT_TRUE(deploy()->row.enabled);
}

TEST_F(DraftTest, AnOldVersionBecomesTheNewestWithItsNameAndLabels) {
  ASSERT_TRUE(patch(R"({"name": "second", "labels": {"site": null}, "history": "full"})"));
  const auto restore = [&](std::int64_t version, std::int64_t expected) {
    return control([&] { return engine_->restore(id_, version, expected, Actor{"ada"}, false); });
  };
  EXPECT_EQ(error_code(restore(9, 0).error()), "not_found");
  EXPECT_EQ(error_code(restore(1, 1).error()), "version_conflict");
  const auto restored = restore(1, 2);
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(restored->row.version, 3);
  EXPECT_EQ(restored->row.name, "by hand");
  EXPECT_EQ(get_string(restored->row.labels, "site"), "izmir");
  EXPECT_FALSE(restored->row.document.contains("history"));
  EXPECT_TRUE(restored->row.enabled);
  const auto second = control([&] { return engine_->version(id_, 2); });
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(get_string(second->head, "name"), "second");
}

TEST_F(DraftTest, AVersionWhoseFunctionIsGoneIsNotRestored) {
  ASSERT_TRUE(patch(R"({"description": "second"})"));
  ask([&] { return port_->functions.erase("write"); });
  const auto restored = control([&] { return engine_->restore(id_, 1, 0, Actor{"ada"}, false); });
  ASSERT_FALSE(restored.has_value());
  EXPECT_EQ(error_code(restored.error()), "/nodes/2/settings/functionId unknown_function");
}

TEST_F(DraftTest, ARunIsRunAgainWithWhatItWasGiven) {
  const auto first = run(R"([{"a": 1}, {"a": 2}])");
  ASSERT_TRUE(first.has_value());
  const auto again = control([&] { return engine_->rerun(first->id, Actor{}); });
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_NE(again->id, first->id);
  EXPECT_EQ(again->records_in, 2);
  EXPECT_EQ(get_string(again->detail, "rerunOf"), first->id);
  EXPECT_EQ(port_->calls.size(), 4u);
  const auto code = [&](const std::string& run_id) {
    auto result = control([&] { return engine_->rerun(run_id, Actor{}); });
    return result ? "ran" : result.error().code;
  };
  EXPECT_EQ(code("nothing"), "not_found");
  ASSERT_TRUE(patch(R"({"nodes": [{"id": "other", "type": "trigger.manual"}], "edges": []})"));
  EXPECT_EQ(code(first->id), "trigger_gone");
  control([&] { return engine_->set_enabled(id_, false, Actor{}); });
  EXPECT_EQ(code(first->id), "pipeline_disabled");
}

TEST_F(DraftTest, ARunWhoseInputWasNotKeptSaysSo) {
  const auto first = run(R"({"a": ")" + std::string(kMaxRunInputBytes, 'x') + "\"}");
  ASSERT_TRUE(first.has_value());
  const auto again = control([&] { return engine_->rerun(first->id, Actor{}); });
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "input_not_kept");
  EXPECT_NE(again.error().message.find("256 KiB"), std::string::npos);
}

TEST_F(DraftTest, ARunThatIsAtWorkIsListedFoundAndCancelled) {
  port_->closed = true;
  std::promise<std::string> shown;
  auto registration = ask([&] {
    return engine_->watch_runs([&](const RunEvent& event) {
      if (event.run.status == "running") {
        try {
          shown.set_value(event.run.id);
        } catch (const std::future_error&) {
          // told before
        }
      }
    });
  });
  auto running = asio::co_spawn(
      runtime_->control(),
      [this] {
        Json input = json(R"([{"a": 1}, {"a": 2}])");
        return engine_->run(id_, std::move(input), Actor{});
      },
      asio::use_future);
  const std::string run_id = shown.get_future().get();
  EXPECT_EQ(control([&] { return engine_->find_run(run_id); })->status, "running");
  auto list = control([&] { return engine_->runs(id_, "", 10); });
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().status, "running");
  store::RunFilter completed;
  completed.status = "completed";
  EXPECT_TRUE(control([&] { return engine_->runs(id_, "", 10, completed); })->empty());

  const auto cancelled = control([&] { return engine_->cancel_run(run_id, Actor{}); });
  ASSERT_TRUE(cancelled.has_value()) << cancelled.error().message;
  port_->closed = false;
  const auto end = running.get();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->status, "cancelled");
  list = control([&] { return engine_->runs(id_, "", 10); });
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().status, "cancelled");
  EXPECT_EQ(control([&] { return engine_->cancel_run(run_id, Actor{}); }).error().code,
            "run_finished");
  EXPECT_EQ(control([&] { return engine_->cancel_run("nothing", Actor{}); }).error().code,
            "not_found");
  ask([&] { return registration.reset(), true; });
}

TEST_F(DraftTest, OnlyAsManyRunsAreKeptAsThePipelineSays) {
  ASSERT_TRUE(patch(R"({"keepRuns": 3})"));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(run(R"({"a": 1})").has_value());
  EXPECT_EQ(control([&] { return engine_->runs(id_, "", 100); })->size(), 3u);
  ASSERT_TRUE(patch(R"({"keepRunsFor": "1ms"})"));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(run(R"({"a": 1})").has_value());
  EXPECT_LE(control([&] { return engine_->runs(id_, "", 100); })->size(), 1u);
}

TEST_F(DraftTest, TheLastFailingInputOfANodeOutlivesARestartAndAnEdit) {
  port_->answer = [](const Call&) -> Result<Batch> {
    return fail(ErrorClass::kFunction, "refused", "The broker refused the message.");
  };
  ASSERT_TRUE(run(R"({"a": 41})").has_value());
  const auto failed = [&] {
    for (const NodeCounters& node : view(id_).nodes) {
      if (node.node_id == "d") return node;
    }
    return NodeCounters{};
  };
  close();
  open();
  NodeCounters node = failed();
  EXPECT_EQ(node.errors, 0) << "counters begin with the hub";
  ASSERT_TRUE(node.last_error);
  EXPECT_EQ(node.last_error->code, "refused");
  EXPECT_EQ(node.last_error->error_class, ErrorClass::kFunction);
  EXPECT_EQ(get_int(node.last_failed_input, "a", 0), 41);
  ASSERT_TRUE(patch(R"({"description": "second"})"));
  EXPECT_TRUE(failed().last_error);
}

TEST_F(DraftTest, ADocumentTravelsWithNamesInsteadOfIds) {
  std::vector<Reference> references;
  const Json exported = ask([&] { return engine_->exported(*engine_->pipeline(id_), references); });
  EXPECT_EQ(to_text(exported.at("nodes")[2].at("settings")), R"({"function":"Line 3/write"})");
  ASSERT_EQ(references.size(), 1u);
  EXPECT_EQ(references[0].id, "write");

  const auto import = [&](ImportRequest::Conflict conflict, bool dry_run = false) {
    ImportRequest request;
    request.body = exported;
    request.conflict = conflict;
    return control([&] { return engine_->import(request, Actor{"ada"}, dry_run); });
  };
  EXPECT_EQ(error_code(import(ImportRequest::Conflict::kRefuse).error()), "name_taken");
  const auto dry = import(ImportRequest::Conflict::kRefuse, true);
  ASSERT_TRUE(dry.has_value());
  EXPECT_EQ(dry->action, "refuse");
  EXPECT_EQ(dry->conflict_id, id_);
  EXPECT_FALSE(dry->view);
  const auto renamed = import(ImportRequest::Conflict::kRename);
  ASSERT_TRUE(renamed.has_value());
  EXPECT_EQ(renamed->view->row.name, "by hand (2)");
  EXPECT_EQ(renamed->view->status, "disabled") << "what was imported does not run by itself";
  const auto replaced = import(ImportRequest::Conflict::kReplace);
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(replaced->view->row.id, id_);
  EXPECT_EQ(replaced->view->row.version, 2);
  EXPECT_EQ(replaced->view->status, "running") << "what was replaced stays enabled";
}

TEST_F(DraftTest, NamesThatAreNotKnownHereAreReportedAndCanBeMapped) {
  ImportRequest request;
  request.body = json(kManual);
  request.body.insert_or_assign("name", "from elsewhere");
  request.body.at("nodes")[2].insert_or_assign("settings",
                                               json(R"({"function": "Hall 7/Publish"})"));
  const auto import = [&](bool dry_run) {
    return control([&] { return engine_->import(request, Actor{"ada"}, dry_run); });
  };
  const auto dry = import(true);
  ASSERT_TRUE(dry.has_value());
  ASSERT_EQ(dry->findings.problems.size(), 1u);
  EXPECT_EQ(dry->findings.problems[0].pointer, "/nodes/2/settings/function");
  EXPECT_EQ(dry->findings.problems[0].code, "unknown_function");
  EXPECT_EQ(error_code(import(false).error()), "/nodes/2/settings/function unknown_function");
  request.names = json(R"({"functions": {"Hall 7/Publish": "Line 3/write"}})");
  const auto made = import(false);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->references[0].id, "write");
  EXPECT_EQ(made->view->row.name, "from elsewhere");
}

TEST_F(DraftTest, TheGraphSaysWhatNeedsWhat) {
  const auto graph = ask([&] {
    return dependencies_of(engine_->pipelines(), engine_->catalogue(), engine_->functions());
  });
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[0].kind, "pipeline");
  EXPECT_EQ(graph.nodes[1].id, "write");
  EXPECT_EQ(graph.nodes[2].name, "Line 3");
  std::string edges;
  for (const auto& edge : graph.edges)
    edges +=
        (edge.from == id_ ? "P" : edge.from) + ">" + edge.to + " " + std::string(edge.use) + "; ";
  EXPECT_NE(edges.find("P>write destination; "), std::string::npos) << edges;
  EXPECT_NE(edges.find("write>C-write connection; "), std::string::npos) << edges;
  const auto name = ask([&] { return engine_->pipeline(id_)->row.name; });
  EXPECT_EQ(names_of_users(graph, "write"), std::vector<std::string>{name});
  EXPECT_EQ(names_of_users(graph, "C-write"), std::vector<std::string>{name});
  EXPECT_TRUE(names_of_users(graph, id_).empty());
  EXPECT_TRUE(names_of_users(graph, "elsewhere").empty());
  ask([&] { return port_->functions.erase("write"); });
  const auto broken = ask([&] {
    return dependencies_of(engine_->pipelines(), engine_->catalogue(), engine_->functions());
  });
  ASSERT_EQ(broken.nodes.size(), 2u);
  EXPECT_TRUE(broken.nodes[1].missing);
  EXPECT_EQ(around(broken, "write").nodes.size(), 2u);
  EXPECT_TRUE(around(broken, "elsewhere").nodes.empty());
}

}  // namespace
}  // namespace tributary::orchestrate
