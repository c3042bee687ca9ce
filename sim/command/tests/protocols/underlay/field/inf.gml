graph [
 node [ id 0 x +INF y -iNf z NAN ]
 node [ id 1 ]
 edge [ source 0 target 1 latency nan ]
]
