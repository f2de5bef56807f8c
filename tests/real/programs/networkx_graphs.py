"""networkx: paths, rankings, flows, colourings and drawings as text on its built-in graphs."""
import io

import networkx as nx

karate = nx.karate_club_graph()
print(karate, nx.density(karate), nx.diameter(karate), nx.shortest_path(karate, 16, 26))
print(dict(nx.single_source_dijkstra_path_length(karate, 0, weight="weight")))


def pagerank(graph, damping=0.85, rounds=60):
    rank = dict.fromkeys(graph, 1 / len(graph))
    for _ in range(rounds):
        rank = {
            node: (1 - damping) / len(graph) + damping * sum(rank[other] / graph.degree(other) for other in graph[node])
            for node in graph
        }
    return rank


print(sorted(pagerank(karate).items(), key=lambda item: -item[1])[:6])
print(nx.betweenness_centrality(karate)[0], nx.closeness_centrality(karate)[33], nx.average_clustering(karate))
print([sorted(part) for part in nx.community.greedy_modularity_communities(karate)])
print(sorted(nx.find_cliques(karate), key=lambda clique: (-len(clique), clique))[:4], nx.transitivity(karate))
print(nx.greedy_color(nx.petersen_graph()), nx.is_planar(nx.petersen_graph()), nx.is_planar(nx.cubical_graph()))
print(sorted(nx.minimum_spanning_edges(nx.Graph([(1, 2, {"weight": 4}), (2, 3, {"weight": 1}), (1, 3, {"weight": 2})]), data=False)))
flow = nx.DiGraph()
flow.add_weighted_edges_from([("s", "a", 3), ("s", "b", 1), ("a", "b", 1), ("a", "t", 1), ("b", "t", 3)], weight="capacity")
print(nx.maximum_flow(flow, "s", "t"), nx.minimum_cut_value(flow, "s", "t"))
work = nx.DiGraph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
print(list(nx.lexicographical_topological_sort(work)), list(nx.all_simple_paths(work, "a", "d")), nx.dag_longest_path(work))
print(nx.les_miserables_graph().number_of_edges(), nx.florentine_families_graph().nodes)
random = nx.gnp_random_graph(40, 0.1, seed=5)
print(random, [len(part) for part in nx.connected_components(random)], nx.eulerize(nx.path_graph(4)).edges)
out = io.BytesIO()
nx.write_graphml(work, out)
print(out.getvalue().decode())
print("\n".join(nx.generate_network_text(work)), "\n".join(nx.generate_gml(flow)), sep="\n")
for call in (lambda: nx.shortest_path(work, "d", "a"), lambda: nx.find_cycle(work), lambda: work.remove_node("z")):
    try:
        print(call())
    except nx.NetworkXException as error:
        print(type(error).__name__, error)
