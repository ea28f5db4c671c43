#define CORE_SUM "e468c5fecef08bd0865ac44ff60852d7"
